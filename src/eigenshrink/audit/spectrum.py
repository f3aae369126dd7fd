"""Checks of the spectrum: digits, signal where ridge removes first, rows for the noise (M8, M9, M14, M18)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eigenshrink.audit.finding import Examined, Finding
from eigenshrink.data.digits import number
from eigenshrink.risk.weak import NOISE_ROWS, signal_shares, spare_observations, weak_directions

Array = NDArray[np.float64]

SIX, THREE = 6.0, 3.0  # digits: what the floor promises, and what a coefficient needs to be read at all
MOST = 0.5  # share of the explained signal in them from which the prior of ridge is turned round
KEPT = 0.9  # share of that signal which, when kept, makes the strength harmless


def of_target(examined: Examined, place: int) -> str:
    """``" of target 'y1'"``, or nothing where there is one target."""
    if len(examined.targets) < 2:
        return ""
    return f" of target {examined.targets[place]!r}"


def combination(names: Sequence[str], loadings: Sequence[float] | Array, most: int = 5) -> str:
    """``0.71 'height' − 0.7 'reach'``, the first few terms."""
    text = ""
    for name, loading in list(zip(names, loadings, strict=True))[:most]:
        size = f"{number(abs(loading), 2 if abs(loading) < 10 else 3)} ".removeprefix("1 ")
        sign = ("−" if loading < 0 else "") if not text else (" − " if loading < 0 else " + ")
        text += f"{sign}{size}{name!r}"
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


def numerical_floor(examined: Examined) -> Finding:
    """Digits of the weights that are left at the smallest chosen strength (M18).

    A pass above ``spectrum.floor``, where six digits are sure; below it the bound on the error of the
    linear algebra says how many are left: fewer than three are no answer.
    """
    path, alphas = examined.quadratic, examined.alphas
    k, p = len(path.spectrum.eigenvalues), len(path.fit.penalised)
    worst = int(np.argmin(alphas))
    alpha, floor = float(alphas[worst]), float(path.spectrum.floor)
    limit = "numerical floor", alpha, floor
    rank = f"The rows tell {k} of {p} penalised weights apart"
    if k == 0 or alpha >= floor:
        above = f"; α = {number(alpha, 3)} is above the floor of {number(floor, 3)}" if floor else ""
        return Finding(limit[0], "pass", *limit[1:], f"{rank}{above}: six digits or more are sure.", "")
    size = float(np.max(path.norm(alpha), initial=0.0))
    error = float(path.residual_bound(alpha))
    digits = SIX if error <= size * 10**-SIX else max(0.0, float(np.log10(size / error)))
    here = f"α = {number(alpha, 3)}{of_target(examined, worst)}"
    said = f"{rank}, and {here} is below the floor of {number(floor, 3)}"
    if digits >= SIX:
        return Finding(limit[0], "pass", *limit[1:], f"{said}, yet six digits turn out to be sure.", "")
    return Finding(
        limit[0],
        "fail" if digits < THREE else "warn",
        *limit[1:],
        f"{said}: about {int(digits)} digits of the weights are sure.",
        f"Take alpha ≥ {number(floor, 2)}, or drop columns that others nearly say.",
    )


def weak_signal(examined: Examined) -> Finding:
    """Signal along directions of little variance, which ridge removes first (M8).

    Ridge expects signal in proportion to variance. The share of the explained signal, noise taken off,
    that sits in the weakest directions (a tenth of the variance together) would then be a tenth. Warned
    of where it is more than half, is no work of chance, and the chosen strength does remove it.
    """
    path = examined.quadratic
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
    advice = "Give these columns a smaller penalty_factor (--unpenalised: none), or standardise."
    if examined.choice.criterion in ("evidence", "combined"):
        advice = f"Choose by leave-one-out or GCV: evidence expects signal where the variance is. {advice}"
    return Finding(check, "warn", value, limit, meaning, advice)


def _loudest(examined: Examined, weak: NDArray[np.intp], target: int) -> str:
    """The columns that load most on the weak direction with most signal."""
    path = examined.quadratic
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
    path = examined.quadratic
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
    advice = "Choose by another criterion: leave-one-out, GCV or evidence."
    return Finding(check, "warn", spare, limit, f"{error}, and Cp, which chose, is as wrong as that.", advice)
