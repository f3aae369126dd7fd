"""Checks of the spectrum: digits, signal where ridge removes first, rows for the noise (M8, M9, M14, M18)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

from eigenshrink.audit.finding import Examined, Finding
from eigenshrink.inference import dispersion, residual_df
from eigenshrink.path import QuadraticPath, kept_share

Array = NDArray[np.float64]

SIX, THREE = 6.0, 3.0  # digits: what the floor promises, and what a coefficient needs to be read at all
WEAK = 0.1  # share of the variance of the columns in the directions that are called weak
MOST = 0.5  # share of the explained signal in them from which the prior of ridge is turned round
CHANCE = 1e-3  # probability with which noise alone may look like such signal
KEPT = 0.9  # share of that signal which, when kept, makes the strength harmless
NOISE_ROWS = 32  # spare observations for which the standard error of φ, √(2/rows), is a quarter


def of_target(examined: Examined, place: int) -> str:
    """``" of target 'y1'"``, or nothing where there is one target."""
    if len(examined.targets) < 2:
        return ""
    return f" of target {examined.targets[place]!r}"


def combination(names: Sequence[str], loadings: Sequence[float] | Array, most: int = 5) -> str:
    """``0.71 'height' − 0.7 'reach'``, the first few terms."""
    text = ""
    for name, loading in list(zip(names, loadings, strict=True))[:most]:
        size = f"{abs(loading):.{2 if abs(loading) < 10 else 3}g} ".removeprefix("1 ")
        sign = ("−" if loading < 0 else "") if not text else (" − " if loading < 0 else " + ")
        text += f"{sign}{size}{name!r}"
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


def numerical_floor(examined: Examined) -> Finding:
    """Digits of the weights that are left at the smallest chosen strength (M18).

    A pass above ``spectrum.floor``, where six digits are sure; below it the bound on the error of the
    linear algebra says how many are left: fewer than three are no answer.
    """
    path, alphas = examined.path, examined.alphas
    k, p = len(path.spectrum.eigenvalues), len(path.fit.penalised)
    worst = int(np.argmin(alphas))
    alpha, floor = float(alphas[worst]), float(path.spectrum.floor)
    limit = "numerical floor", alpha, floor
    rank = f"The rows tell {k} of {p} penalised weights apart"
    if k == 0 or alpha >= floor:
        above = f"; α = {alpha:.3g} is above the floor of {floor:.3g}" if floor else ""
        return Finding(limit[0], "pass", *limit[1:], f"{rank}{above}: six digits or more are sure.", "")
    size = float(np.max(path.norm(alpha), initial=0.0))
    error = float(path.residual_bound(alpha))
    digits = SIX if error <= size * 10**-SIX else max(0.0, float(np.log10(size / error)))
    said = f"{rank}, and α = {alpha:.3g}{of_target(examined, worst)} is below the floor of {floor:.3g}"
    if digits >= SIX:
        return Finding(limit[0], "pass", *limit[1:], f"{said}, yet six digits turn out to be sure.", "")
    return Finding(
        limit[0],
        "fail" if digits < THREE else "warn",
        *limit[1:],
        f"{said}: about {int(digits)} digits of the weights are sure.",
        f"Take alpha ≥ {floor:.2g}, or drop columns that others nearly say.",
    )


def weak_signal(examined: Examined) -> Finding:
    """Signal along directions of little variance, which ridge removes first (M8).

    Ridge expects signal in proportion to variance. The share of the explained signal, noise taken off,
    that sits in the weakest directions (a tenth of the variance together) would then be a tenth. Warned
    of where it is more than half, is no work of chance, and the chosen strength does remove it.
    """
    path = examined.path
    check, limit = "signal in weak directions", MOST
    weak = weak_directions(path.spectrum.eigenvalues)
    if path.fit.sample is None or not len(weak):
        meaning = "No directions are weak: none of the smaller ones holds a tenth of the variance or less."
        return Finding(check, "pass", 0.0, limit, meaning, "")
    share, clear, kept = signal_shares(path, examined.alphas, weak)
    clear &= share > limit
    worst = int(np.argmax(share + clear + (clear & (kept < KEPT))))
    value = float(share[worst])
    meaning = (
        f"{value:.0%} of the explained signal{of_target(examined, worst)} sits in the weakest {len(weak)} of "
        f"{len(path.spectrum.eigenvalues)} directions (a tenth of the variance at most)"
    )
    if not clear[worst]:
        said = "not clear of noise" if value > limit else "less than half"
        return Finding(check, "pass", value, limit, f"{meaning}: {said}.", "")
    left = f"the chosen strength keeps {kept[worst]:.0%} of it"
    if kept[worst] >= KEPT:
        return Finding(check, "pass", value, limit, f"{meaning}; {left}.", "")
    meaning += f", most along {_loudest(examined, weak, worst)}; ridge removes them first, and {left}."
    advice = "Give these columns a smaller penalty_factor, or standardise."
    if examined.choice.criterion in ("evidence", "combined"):
        advice = f"Choose by loo or gcv: evidence expects signal where the variance is. {advice}"
    return Finding(check, "warn", value, limit, meaning, advice)


def spare_observations(path: QuadraticPath) -> float:
    """``ν − rank``, what an unpenalised fit leaves to judge by; copies of one row count once."""
    sample, rank = path.sample, path.spectrum.free.rank + len(path.spectrum.eigenvalues)
    return float(max(min(sample.rows, sample.observations) - rank, 0.0))


def weak_directions(eigenvalues: Array) -> NDArray[np.intp]:
    """The most directions, smallest first, that together hold at most a tenth of the sum of eigenvalues."""
    order = np.argsort(eigenvalues, kind="stable")
    total = np.cumsum(np.maximum(eigenvalues[order], 0.0))
    return order[: int(np.sum(total <= WEAK * total[-1]))] if len(total) else order


def signal_shares(
    path: QuadraticPath, alphas: Array, weak: NDArray[np.intp]
) -> tuple[Array, NDArray[np.bool_], Array]:
    """Per target: share of the explained signal in some directions, clear of noise?, share kept, ``(t,)``.

    The noise along a direction is φ/S on average: of the unpenalised fit, or at the chosen strength where
    too few observations are left for that.
    """
    sample, squares = path.sample, path.spectrum.squares
    enough = spare_observations(path) >= NOISE_ROWS
    at = np.zeros_like(alphas) if enough else alphas
    spare = np.atleast_1d(residual_df(path, per_target=at))
    noise = np.atleast_1d(dispersion(path, per_target=at)) / sample.weight_sum
    signal = squares - noise
    there, total = signal[weak].sum(axis=0), signal.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((total > 0) & (there > 0), np.minimum(there / total, 1.0), 0.0)
        ratio = squares[weak].mean(axis=0) / noise
        limit = fdtri(len(weak), np.maximum(spare, 1.0), 1.0 - CHANCE / len(alphas))
        visible = np.maximum(signal[weak], 0.0)
        kept = (kept_share(path.spectrum.eigenvalues[weak], alphas[:, None]) * visible.T).sum(axis=1)
        kept = np.where(visible.sum(axis=0) > 0, kept / visible.sum(axis=0), 1.0)
    return share, np.asarray(ratio > limit), kept


def _loudest(examined: Examined, weak: NDArray[np.intp], target: int) -> str:
    """The columns that load most on the weak direction with most signal."""
    path = examined.path
    place = weak[int(np.argmax(path.spectrum.squares[weak, target]))]
    unit = np.zeros((len(path.spectrum.eigenvalues), 1))
    unit[place] = 1.0
    direction = path.spectrum.directions.back(unit)[:, 0]
    top = np.argsort(-np.abs(direction), kind="stable")[:3]
    direction = direction * np.sign(direction[top[0]])
    text = combination([examined.names[path.fit.penalised[j]] for j in top], direction[top])
    return text if len(direction) <= len(top) else f"{text} …"


def rows_for_noise(examined: Examined) -> Finding:
    """Observations left to estimate the noise from, on which Cp rests (M14)."""
    path = examined.path
    check, limit = "rows for Cp", float(NOISE_ROWS)
    if path.fit.sample is None:
        return Finding(check, "pass", 0.0, limit, "There are no rows, and so no Cp.", "")
    spare = spare_observations(path)
    left = f"The unpenalised fit leaves {spare:.0f} of {path.sample.observations:.0f} observations"
    if spare >= limit:
        return Finding(check, "pass", spare, limit, f"{left} to estimate the noise from.", "")
    if spare <= 0:
        return Finding(
            check, "pass", spare, limit, f"{left}: Cp does not exist, and nothing here uses it.", ""
        )
    error = f"{left}, so that its noise has a standard error of {np.sqrt(2 / spare):.0%}"
    if examined.choice.criterion != "cp":
        text = f"{error}: do not read Cp; the choice hardly rests on it."
        return Finding(check, "pass", spare, limit, text, "")
    advice = "Choose by another criterion: loo, gcv or evidence."
    return Finding(check, "warn", spare, limit, f"{error}, and Cp, which chose, is as wrong as that.", advice)
