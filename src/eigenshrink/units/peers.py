"""The table of everybody else's numbers: adding a peer is one line at the end of this file."""

from __future__ import annotations

from dataclasses import dataclass

from eigenshrink.units import rules
from eigenshrink.units.rules import Rule


@dataclass(frozen=True)
class Peer:
    """Somebody else's number for the strength of the L2 penalty; ``print(peer)`` tells all of it."""

    name: str  # the key in ``convert(..., to=name)``
    parameter: str  # the peer's own name: "alpha", "C", "lambda", "weight_decay"
    rule: Rule
    losses: tuple[str, ...]  # losses of the house that this peer minimises
    proof: str  # how the rule was confirmed: a key of _PROOFS
    tolerance: float | None  # relative error of the coefficients in that proof
    notes: tuple[str, ...] = ()
    standardises: bool = False  # always, so d_j = sd_n(x_j)² and nothing else

    @property
    def formula(self) -> str:
        """The peer's number in terms of α, S, n, ..., or ``"none"``."""
        return self.rule.formula

    @property
    def needs(self) -> tuple[str, ...]:
        """The facts without which :func:`eigenshrink.convert` raises."""
        return self.rule.needs

    def __str__(self) -> str:
        proof = _PROOFS[self.proof].format(self.tolerance)
        return " ".join([f"{self.name}: {self.parameter} = {self.formula}.", proof, *self.notes])


_PROOFS = {
    "fitted": "Confirmed by fitting it: coefficients agree to {:.0e}.",
    "R": "Confirmed by fitting it in R: coefficients agree to {:.0e}.",
    "update rule": "Confirmed by running its documented update rule: weights agree to {:.0e}.",
    "source": "Confirmed from its source only, not by running it.",
    "none": "No strength gives the same model.",
}

_CENTRE = "It has no intercept: centre y and the kernel, with the same weights."
_RIDGE_CV = "Its leave-one-out score averages s_i·e_i² over n; the house averages ½·s_i·e_i² over S."
_SIGNS = "Squared loss on the targets −1 and +1."
_CLASS_WEIGHT = "class_weight multiplies the sample weights, so it enters S."
_LIBLINEAR = "solver='liblinear' penalises the intercept and is refused."
_SOFTMAX = "The softmax is symmetric; two classes written as a softmax at α are the binary model at α/2."
_L1_RATIO = "Set l1_ratio=0; the default stops early: tighten the tolerance."
_STOCHASTIC = "Stochastic: it only comes near the minimum."
_ONE_VS_REST = "Set loss='log_loss'; three classes and more are one binary model each, not a softmax."
_BATCH = (
    "The weights of a batch are summed. Exact on full batches; solver='lbfgs' (batch: all rows) stops early."
)
_MLP_OUTPUTS = "With several outputs 'lbfgs' is 1 % off: its value averages over outputs, its gradient sums."
_CONSTANT = "Set L1_wt=0 and give alpha as a vector with 0 for the constant: a scalar penalises it."
_NO_WEIGHTS = "It takes no weights."
_OWN_SCALE = "Gaussian and gamma have no number: their likelihood is taken at an estimated scale."
_SCALE_PREDICTORS = "scale_predictors=True is standardize=True here: d_j = sd_n(x_j)²."
_STANDARDIZE = "Set alpha=0, thresh=1e-26, maxit=1e7; standardize=TRUE is d_j = sd_n(x_j)² here."
_FACTORS = (
    "penalty.factor is rescaled to sum to p, so lambda carries Σpf/p, which is 1 without it "
    "(for convert: penalty_factor_sum and columns)."
)
_ORIGIN = "With intercept=FALSE the sd of y is √mean(y²)."
_LM_RIDGE = "It always standardises: d_j = sd_n(x_j)². It takes no weights: none if weight_sum is not n."
_PARAPEN = "paraPen=list(X=list(diag(p), sp=...)); diag(d) for factors."
_SPARK = "solver='normal'; it standardises by default, d_j = sd_n(x_j)². 'l-bfgs' divides by n−1 in the sd."
_LOSS_SCALE = (
    "loss_scale with reduction='mean' and t outputs: MSELoss 2/t, BCEWithLogitsLoss and PoissonNLLLoss 1/t, "
    "CrossEntropyLoss 1; for an α of eigenshrink.networks, which is in the unit of your loss, give 1."
)
_BIAS = "Biases are penalised unless a parameter group excludes them."
_WEIGHTED = "CrossEntropyLoss(weight=) divides by S; per-row weights in the others by n: then times S/n."
_MINIBATCH = "Only full batch with a decaying learning rate: with minibatches it minimises something else."
_AFTER = "After the momentum it is decoupled; after an adaptive scaling (AdamW) there is no number."
_DECOUPLED = "w ← (1 − η·wd)·w beside the step; with Nesterov the same, with dampening τ times (1−τ)."
_ADAMW = "It does not minimise the penalised loss."
_TREES = "Its λ shrinks the values of leaves: another model."

_SQUARED, _LOGISTIC, _POISSON, _GAMMA = ("squared",), ("logistic",), ("poisson",), ("gamma",)
_CLASSES = ("logistic", "multinomial")
_DEVIANCES = ("squared", "poisson", "gamma", "tweedie")
_GLM = (*_DEVIANCES, "logistic")
_EVERY = (*_GLM, "multinomial")
_LOGISTIC_NOTES = (_CLASS_WEIGHT, _LIBLINEAR, _SOFTMAX)
_MLP_NOTES = (_BATCH, _MLP_OUTPUTS)
_SGD_NOTES = (_STOCHASTIC, _ONE_VS_REST, _CLASS_WEIGHT)
_GLM_NOTES = (_CONSTANT, _OWN_SCALE)
_GLMNET_NOTES = (_STANDARDIZE, _FACTORS)
_NET_NOTES = (_LOSS_SCALE, _BIAS, _WEIGHTED)
_ADAM_NOTES = (_MINIBATCH, *_NET_NOTES)
_OPTAX_NOTES = (_AFTER, *_NET_NOTES)

_TABLE = (
    Peer("sklearn.Ridge", "alpha", rules.TOTAL, _SQUARED, "fitted", 1e-12),
    Peer("sklearn.RidgeCV", "alphas", rules.TOTAL, _SQUARED, "fitted", 1e-12, (_RIDGE_CV,)),
    Peer("sklearn.RidgeClassifier", "alpha", rules.TOTAL, _SQUARED, "fitted", 1e-12, (_SIGNS, _CLASS_WEIGHT)),
    Peer("sklearn.KernelRidge", "alpha", rules.TOTAL, _SQUARED, "fitted", 1e-12, (_CENTRE,)),
    Peer("sklearn.LogisticRegression", "C", rules.INVERSE_TOTAL, _CLASSES, "fitted", 1e-8, _LOGISTIC_NOTES),
    Peer("sklearn.PoissonRegressor", "alpha", rules.SAME, _POISSON, "fitted", 1e-12),
    Peer("sklearn.GammaRegressor", "alpha", rules.SAME, _GAMMA, "fitted", 1e-12),
    Peer("sklearn.TweedieRegressor", "alpha", rules.SAME, _DEVIANCES, "fitted", 1e-12),
    Peer("sklearn.ElasticNet", "alpha", rules.SAME, _SQUARED, "fitted", 1e-12, (_L1_RATIO,)),
    Peer("sklearn.SGDRegressor", "alpha", rules.MEAN_WEIGHT, _SQUARED, "fitted", 1e-3, (_STOCHASTIC,)),
    Peer("sklearn.SGDClassifier", "alpha", rules.MEAN_WEIGHT, _LOGISTIC, "fitted", 1e-3, _SGD_NOTES),
    Peer("sklearn.MLPRegressor", "alpha", rules.BATCH, _SQUARED + _POISSON, "fitted", 1e-12, _MLP_NOTES),
    Peer("sklearn.MLPClassifier", "alpha", rules.BATCH, _CLASSES, "fitted", 1e-12, (_BATCH,)),
    Peer("statsmodels.OLS", "alpha", rules.SAME, _SQUARED, "fitted", 1e-12, (_CONSTANT, _NO_WEIGHTS)),
    Peer("statsmodels.WLS", "alpha", rules.SAME, _SQUARED, "fitted", 1e-12, (_CONSTANT,)),
    Peer("statsmodels.GLM", "alpha", rules.STATSMODELS_GLM, _LOGISTIC + _POISSON, "fitted", 1e-4, _GLM_NOTES),
    Peer("glum", "alpha", rules.SAME, _GLM, "fitted", 1e-12, (_L1_RATIO, _SCALE_PREDICTORS)),
    Peer("glmnet.gaussian", "lambda", rules.GLMNET_GAUSSIAN, _SQUARED, "R", 1e-12, (_ORIGIN, *_GLMNET_NOTES)),
    Peer("glmnet.gaussian_family", "lambda", rules.GLMNET, _SQUARED, "R", 1e-8, _GLMNET_NOTES),
    Peer("glmnet.binomial", "lambda", rules.GLMNET, _LOGISTIC, "R", 1e-8, _GLMNET_NOTES),
    Peer("glmnet.poisson", "lambda", rules.GLMNET, _POISSON, "R", 1e-8, _GLMNET_NOTES),
    Peer(
        "glmnet.multinomial", "lambda", rules.GLMNET, ("multinomial",), "R", 1e-8, (*_GLMNET_NOTES, _SOFTMAX)
    ),
    Peer("glmnet.mgaussian", "lambda", rules.GLMNET, _SQUARED, "R", 1e-8, _GLMNET_NOTES),
    Peer("MASS.lm.ridge", "lambda", rules.UNWEIGHTED_ROWS, _SQUARED, "R", 1e-12, (_LM_RIDGE,), True),
    Peer("mgcv.paraPen", "sp", rules.TOTAL, _GLM, "R", 1e-12, (_PARAPEN,)),
    Peer("spark.LinearRegression", "regParam", rules.TARGET_SD, _SQUARED, "source", None, (_SPARK,)),
    Peer("torch.SGD", "weight_decay", rules.LOSS_SCALE, _EVERY, "update rule", 1e-12, _NET_NOTES),
    Peer(
        "torch.SGD.decoupled", "wd", rules.DECOUPLED, _EVERY, "update rule", 1e-12, (_DECOUPLED, *_NET_NOTES)
    ),
    Peer("torch.Adam", "weight_decay", rules.FULL_BATCH, _EVERY, "update rule", 1e-3, _ADAM_NOTES),
    Peer("torch.AdamW", "weight_decay", rules.NONE, _EVERY, "none", None, (_ADAMW,)),
    Peer(
        "optax.add_decayed_weights", "weight_decay", rules.OPTAX, _EVERY, "update rule", 1e-12, _OPTAX_NOTES
    ),
    Peer("xgboost", "reg_lambda", rules.NONE, _EVERY, "none", None, (_TREES,)),
    Peer("lightgbm", "lambda_l2", rules.NONE, _EVERY, "none", None, (_TREES,)),
)

PEERS = {peer.name: peer for peer in _TABLE}
