# GCV of ridge regression by MASS::lm.ridge, which leaves the intercept out of its count, and by a hat
# matrix with the intercept in it, which M14 and mgcv count. Made with R 4.2.2, MASS 7.3-58.2; the numbers
# stand in tests/test_evidence_peers.py, and R is not needed to run the tests.
#
#   Rscript tests/peers_r/longley_gcv.R

suppressMessages(library(MASS))
show <- function(name, ...) cat(name, sprintf("%.16e", c(...)), "\n")

y <- longley$GNP.deflator
X <- as.matrix(longley[, c("GNP", "Unemployed", "Armed.Forces", "Population", "Year", "Employed")])
n <- nrow(X)
lambda <- c(0, 0.001, 0.01, 0.1, 1, 10)

fit <- lm.ridge(y ~ X, lambda = lambda)
show("lm.ridge", fit$GCV)

# the same with nothing of MASS: sd divided by n, lambda on the sum of squares, the mean projected out
Z <- scale(X, scale = FALSE)
Z <- t(t(Z) / sqrt(colMeans(Z^2)))
hat <- function(lambda, intercept) {
  Z %*% solve(crossprod(Z) + lambda * diag(ncol(Z)), t(Z)) + intercept / n
}
gcv <- function(lambda, intercept) {
  residual <- y - hat(lambda, 1) %*% y
  sum(residual^2) / (n - sum(diag(hat(lambda, intercept))))^2
}
show("without intercept", sapply(lambda, gcv, 0))
show("with intercept", sapply(lambda, gcv, 1))

lowest <- function(intercept) {
  exp(optimize(function(l) gcv(exp(l), intercept), log(c(1e-4, 1)), tol = 1e-12)$minimum)
}
show("optimum without", lowest(0))
show("optimum with", lowest(1))
fine <- exp(seq(log(1e-4), log(1), length.out = 20001))
show("optimum of lm.ridge", fine[which.min(lm.ridge(y ~ X, lambda = fine)$GCV)])
