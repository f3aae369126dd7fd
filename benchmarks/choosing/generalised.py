"""The same settings where the target is a class, a count or a positive number."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax, xlogy
from sklearn.datasets import load_breast_cancer

from benchmarks.choosing.settings import Setting, directions, scores_of

Array = NDArray[np.float64]

JUDGES = 4_000  # new rows that errors are taken over
EFFECT = 2.0  # variance of what a group shares, in the linear predictor
MIXED = 1.0  # shape of the gamma variate that multiplies the mean of uneven counts
SHAPE = 2.0  # of a gamma target: dispersion one half


@dataclass(frozen=True, eq=False)
class DrawnRows:
    """One draw, and new rows to judge by.

    Attributes
    ----------
    X : (n, p)
    y : (n,)
    groups : (n,) or None
        What the user tells, copies too: classes and counts coincide by chance, so they are not found.
    loss : str
    judges : (m, p)
        New rows, of new groups.
    mean : (m,) or (m, c)
        Their expected response: an expected deviance is that of the mean, plus what no model explains.
    unexplained : float
        What is to be added for the unit of the loss.
    """

    X: Array
    y: Array
    groups: NDArray[np.intp] | None
    loss: str
    judges: Array
    mean: Array
    unexplained: float

    def error(self, coef: Array, intercept: Array) -> Array:
        """Expected loss on the new rows of ``(a, p)`` and ``(a,)``, or ``(a, c, p)`` and ``(a, c)``."""
        with np.errstate(over="ignore"):
            each = self._classes(coef, intercept) if coef.ndim == 3 else self._numbers(coef, intercept)
        return np.asarray(each.mean(axis=1) + self.unexplained)

    def _classes(self, coef: Array, intercept: Array) -> Array:
        eta = np.moveaxis(coef @ self.judges.T + intercept[:, :, None], 1, 0)  # (c, a, m)
        top = eta.max(axis=0)
        level = top + np.log(np.exp(eta - top).sum(axis=0))
        return np.asarray(level - sum(share * one for share, one in zip(self.mean.T, eta, strict=True)))

    def _numbers(self, coef: Array, intercept: Array) -> Array:
        eta = coef @ self.judges.T + intercept[:, None]
        if self.loss == "logistic":
            return np.logaddexp(0.0, eta) - self.mean * eta
        if self.loss == "poisson":
            return np.exp(eta) - self.mean * eta
        return self.mean * np.exp(-eta) + eta  # gamma


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("logistic n100 p20 isotropic", 100, 20, snr=2.0, loss="logistic"),
        Setting("logistic n100 p20 top", 100, 20, "top", snr=2.0, loss="logistic"),
        Setting("logistic n100 p20 bottom", 100, 20, "bottom", snr=2.0, loss="logistic"),
        Setting("logistic n100 p150", 100, 150, snr=4.0, loss="logistic"),
        Setting("logistic n400 p50 weak", 400, 50, snr=0.2, loss="logistic"),
        Setting("logistic n100 p20 nearly separable", 100, 20, snr=25.0, loss="logistic"),
        Setting("breast cancer, 100 rows", 100, 30, loss="logistic", real=True),
        Setting("logistic n300 p20, 5 % rare", 300, 20, snr=2.0, loss="logistic", level=-3.755),
        Setting("poisson n100 p20 isotropic", 100, 20, snr=0.5, loss="poisson", level=-0.25),
        Setting("poisson n100 p20 top", 100, 20, "top", snr=0.5, loss="poisson", level=-0.25),
        Setting("poisson n100 p20 bottom", 100, 20, "bottom", snr=0.5, loss="poisson", level=-0.25),
        Setting("counts, overdispersed", 100, 20, snr=0.5, loss="poisson", level=-0.25, uneven=True),
        Setting("multinomial n120 p15", 120, 15, snr=2.0, loss="multinomial"),
        Setting("gamma n100 p20", 100, 20, snr=0.5, loss="gamma"),
        Setting("logistic, 40 rows twice", 80, 20, snr=4.0, loss="logistic", copies=2),
        Setting("logistic, 20 groups of 5", 100, 20, snr=2.0, loss="logistic", group=5),
        Setting("logistic n100 p20 no signal", 100, 20, snr=0.02, loss="logistic", further=True),
        Setting(
            "logistic n100 p20 lowest quarter",
            100,
            20,
            "lowest quarter",
            snr=2.0,
            loss="logistic",
            further=True,
        ),
        Setting("logistic n100 p150 bottom", 100, 150, "bottom", snr=10.0, loss="logistic", further=True),
        Setting("logistic n150 p100 top", 150, 100, "top", snr=10.0, loss="logistic", further=True),
        Setting("poisson n100 p150 bottom", 100, 150, "bottom", snr=1.0, loss="poisson", further=True),
        Setting("gamma n100 p60 bottom", 100, 60, "bottom", snr=2.0, loss="gamma", further=True),
        Setting("multinomial n120 p60 bottom", 120, 60, "bottom", snr=6.0, loss="multinomial", further=True),
    )
}

CLASSES = 3


def draw_rows(setting: Setting, seed: int) -> DrawnRows:
    """Rows, target and new rows; the same for the same seed, whatever else is drawn."""
    rng = np.random.default_rng([seed, crc32(setting.name.encode())])
    if setting.real:
        return _real(setting, rng)
    outputs = CLASSES if setting.loss == "multinomial" else 1
    variances, basis, coef = directions(setting, rng, outputs)
    rows, groups = setting.n // setting.copies, None
    scores = rng.normal(size=(rows, setting.p))
    effect = np.zeros(rows)
    if setting.group:
        scores, groups = scores_of(setting, scores, rng)
        effect = np.sqrt(EFFECT) * rng.normal(size=groups[-1] + 1)[groups]
    turn = (basis * np.sqrt(variances)).T
    X, judges = scores @ turn, rng.normal(size=(JUDGES, setting.p)) @ turn
    unseen = np.sqrt(EFFECT) * rng.normal(size=JUDGES) if setting.group else np.zeros(JUDGES)
    y = _answers(setting, X @ coef.T + effect[:, None] + setting.level, rng)[0]
    answers, mean = _answers(setting, judges @ coef.T + unseen[:, None] + setting.level, rng)
    if setting.copies > 1:
        groups = np.tile(np.arange(rows), setting.copies)
        X, y = np.tile(X, (setting.copies, 1)), np.tile(y, setting.copies)
    return DrawnRows(X, y, groups, setting.loss, judges, mean, _unexplained(setting, answers, mean))


def _answers(setting: Setting, eta: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A response of each row, and its mean, for predictors ``(m, 1)`` or ``(m, c)``."""
    m, one = len(eta), eta[:, 0]
    if setting.loss == "multinomial":
        mean = softmax(eta, axis=1)
        return np.argmax(eta + rng.gumbel(size=eta.shape), axis=1).astype(float), mean
    if setting.loss == "logistic":
        return (rng.random(m) < expit(one)).astype(float), expit(one)
    mean = np.exp(one)
    if setting.loss == "gamma":
        return mean * rng.gamma(SHAPE, 1 / SHAPE, size=m), mean
    mixed = rng.gamma(MIXED, 1 / MIXED, size=m) if setting.uneven else np.ones(m)
    return rng.poisson(mean * mixed).astype(float), mean


def _unexplained(setting: Setting, answers: Array, mean: Array) -> float:
    """What turns the loss of the mean into an expected half deviance."""
    if setting.loss == "poisson":
        return float(xlogy(answers, answers).mean() - mean.mean())
    if setting.loss == "gamma":
        return float(-1.0 - np.log(answers).mean())
    return 0.0


def _real(setting: Setting, rng: np.random.Generator) -> DrawnRows:
    """Some rows of a known table; the others judge, and their mean is what was seen."""
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    order = rng.permutation(len(y))
    inside, outside = order[: setting.n], order[setting.n :]
    return DrawnRows(
        X[inside], y[inside].astype(float), None, setting.loss, X[outside], y[outside].astype(float), 0.0
    )
