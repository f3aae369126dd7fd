# REML of ridge regression by mgcv::gam with a penalised parametric term. Made with R 4.2.2, mgcv 1.8-41;
# the numbers stand in tests/test_evidence_peers.py, and R is not needed to run the tests.
#
#   Rscript tests/peers_r/longley_reml.R

suppressMessages(library(mgcv))
show <- function(name, ...) cat(name, sprintf("%.16e", c(...)), "\n")

y <- longley$GNP.deflator
X <- as.matrix(longley[, c("GNP", "Unemployed", "Armed.Forces", "Population", "Year", "Employed")])
s <- rep(c(1, 2, 0.5, 3), 4)
ones <- rep(1, 16)
strict <- gam.control(epsilon = 1e-14, newton = list(conv.tol = 1e-9))

# columns: which are penalised; the others are free. Penalty: the square of the column's sd, divided by n
fit <- function(columns, weights, sp = NULL) {
  P <- X[, columns, drop = FALSE]
  F <- X[, -columns, drop = FALSE]
  D <- diag(colMeans(scale(P, scale = FALSE)^2))
  penalty <- if (is.null(sp)) list(D) else list(D, sp = sp)
  formula <- if (ncol(F)) y ~ P + F else y ~ P
  suppressWarnings( # its last Newton step fails to improve what is already exact
    gam(formula, weights = weights, paraPen = list(P = penalty), method = "REML", control = strict)
  )
}

report <- function(name, columns, weights) {
  best <- fit(columns, weights)
  show(paste(name, "sp, edf"), best$sp, sum(best$edf))
  fixed <- lapply(c(0.01, 0.1, 1), function(sp) fit(columns, weights, sp))
  show(paste(name, "score - lowest"), sapply(fixed, function(f) f$gcv.ubre) - best$gcv.ubre)
  show(paste(name, "edf"), sapply(fixed, function(f) sum(f$edf)))
  show(paste(name, "coef at 0.1, penalised"), coef(fixed[[2]])[1 + seq_along(columns)])
}

report("all", 1:6, ones)
report("weights", 1:6, s)
report("free", 1:4, s)
