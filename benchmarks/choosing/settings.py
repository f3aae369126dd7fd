"""Settings with a known truth: where the signal sits, how much noise there is, which rows belong together."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """One kind of data.

    Attributes
    ----------
    name : str
    n, p : int
        Rows, copies included, and columns.
    signal : str
        Where it sits among directions of variance λ_j ~ 1/j, turned at random: isotropic (w_j alike), top
        (w_j ~ √λ_j), bottom (w_j ~ 1/√λ_j) or lowest quarter (none in the other directions).
    snr : float
        Variance of the signal over that of the noise of a single row.
    uneven : bool
        The noise of a row depends on its first direction; its mean variance stays 1.
    copies : int
        How often each row occurs.
    group : int
        Rows of one group, which share a part of their columns and an effect as large as the noise; 0: none.
    further : bool
        Beyond the settings that bars are set for.
    loss : str
        For other losses than squared snr is the variance of the linear predictor, and uneven counts are
        negative binomial: their mean is multiplied by a gamma variate.
    level : float
        The linear predictor where every column has its mean.
    real : bool
        Rows of a known table are drawn.
    """

    name: str
    n: int
    p: int
    signal: str = "isotropic"
    snr: float = 1.0
    uneven: bool = False
    copies: int = 1
    group: int = 0
    further: bool = False
    loss: str = "squared"
    level: float = 0.0
    real: bool = False

    @property
    def related(self) -> bool:
        """Rows are not independent."""
        return self.copies > 1 or self.group > 0


@dataclass(frozen=True, eq=False)
class Drawn:
    """One draw of a setting, and the truth behind it.

    Attributes
    ----------
    X : (n, p)
    y : (n,)
    groups : (n,) or None
        What the user tells; copies are not told.
    coef : (p,)
        True weights; the intercept is 0.
    covariance : (p, p)
        Of the columns.
    noise : float
        Variance of a new row, of a new group, around its mean.
    """

    X: Array
    y: Array
    groups: NDArray[np.intp] | None
    coef: Array
    covariance: Array
    noise: float

    def error(self, coef: Array, intercept: Array) -> Array:
        """Half the mean squared error on new rows, noise included, of ``(a, p)`` and ``(a,)``."""
        off = coef - self.coef
        bias = np.einsum("ap,pq,aq->a", off, self.covariance, off)
        return np.asarray(0.5 * (bias + intercept**2 + self.noise))


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("n50 p20 isotropic", 50, 20),
        Setting("n50 p20 top", 50, 20, "top"),
        Setting("n50 p20 bottom", 50, 20, "bottom"),
        Setting("n60 p100 isotropic", 60, 100, snr=2.0),
        Setting("n60 p100 bottom", 60, 100, "bottom", snr=2.0),
        Setting("n300 p50 snr 0.1", 300, 50, snr=0.1),
        Setting("n60 p30 uneven noise", 60, 30, uneven=True),
        Setting("40 rows twice", 80, 20, copies=2),
        Setting("20 groups of 4", 80, 20, group=4),
        Setting("n50 p20 lowest quarter", 50, 20, "lowest quarter", further=True),
        Setting("n60 p100 lowest quarter", 60, 100, "lowest quarter", snr=2.0, further=True),
        Setting("n60 p100 bottom snr 10", 60, 100, "bottom", snr=10.0, further=True),
        Setting("n60 p55 isotropic", 60, 55, further=True),
        Setting("n60 p55 bottom", 60, 55, "bottom", further=True),
        Setting("n150 p100 top snr 3", 150, 100, "top", snr=3.0, further=True),
        Setting("20 groups of 4, bottom", 80, 20, "bottom", group=4, further=True),
        Setting("40 rows twice, p60", 80, 60, copies=2, further=True),
    )
}


def draw(setting: Setting, seed: int) -> Drawn:
    """Rows, target and truth; the same for the same seed, whatever else is drawn."""
    rng = np.random.default_rng([seed, crc32(setting.name.encode())])
    variances, basis, weights = directions(setting, rng, 1)
    coef, covariance = weights[0], (basis * variances) @ basis.T
    scores, noise, groups = _rows(setting, rng)
    X = scores @ (basis * np.sqrt(variances)).T
    y = X @ coef + noise
    return Drawn(
        X=np.tile(X, (setting.copies, 1)),
        y=np.tile(y, setting.copies),
        groups=groups,
        coef=coef,
        covariance=covariance,
        noise=2.0 if setting.group else 1.0,
    )


def directions(setting: Setting, rng: np.random.Generator, outputs: int) -> tuple[Array, Array, Array]:
    """Variances of the directions, the directions ``(p, k)``, and true weights ``(outputs, p)``."""
    variances = 1 / np.arange(1.0, setting.p + 1)
    variances *= setting.p / variances.sum()
    basis = np.linalg.qr(rng.normal(size=(setting.p, setting.p)))[0]
    along = rng.normal(size=(outputs, setting.p)) * _places(setting, variances)
    along *= np.sqrt(setting.snr / (along**2 @ variances))[:, None]
    return variances, basis, along @ basis.T


def _places(setting: Setting, variances: Array) -> Array:
    """How large the weights of each direction are."""
    if setting.signal == "lowest quarter":
        return np.asarray(np.arange(setting.p) >= setting.p - max(1, setting.p // 4), dtype=np.float64)
    power = {"isotropic": 0.0, "top": 0.5, "bottom": -0.5}[setting.signal]
    return np.asarray(variances**power)


def _rows(setting: Setting, rng: np.random.Generator) -> tuple[Array, Array, NDArray[np.intp] | None]:
    """Scores of variance 1 along the directions, noise, and groups."""
    rows = setting.n // setting.copies
    scores, noise = rng.normal(size=(rows, setting.p)), rng.normal(size=rows)
    if setting.uneven:
        noise *= np.sqrt(0.2 + 0.8 * scores[:, 0] ** 2)
    if not setting.group:
        return scores, noise, None
    scores, groups = scores_of(setting, scores, rng)
    return scores, noise + rng.normal(size=groups[-1] + 1)[groups], groups


def scores_of(setting: Setting, own: Array, rng: np.random.Generator) -> tuple[Array, NDArray[np.intp]]:
    """Scores of which the rows of a group share a part, and the groups."""
    groups = np.arange(len(own)) // setting.group
    shared = rng.normal(size=(groups[-1] + 1, setting.p))
    return np.sqrt(0.3) * own + np.sqrt(0.7) * shared[groups], groups
