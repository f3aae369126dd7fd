"""Checks of the answer where the loss is not quadratic: its proof, its leave-one-out (M14, M16, M18)."""

from __future__ import annotations

import numpy as np

from eigenshrink.audit.finding import Examined, Finding, counted, list_rows
from eigenshrink.audit.rows import HIGH
from eigenshrink.data.digits import number
from eigenshrink.risk import spot_check

NO_DIGITS = 1e-2  # relative error of the weights from which an answer is none
WRONG = 0.05  # share of the leave-one-out error that one step may miss


def proof(examined: Examined) -> Finding:
    """Whether the weights at the chosen strength are proved to the tolerance (M16, M18).

    The value is the relative certificate ``‖∇L̃_α(ŵ)‖/(α‖ŵ‖_D)``, a gradient on the data; the threshold is
    ``tol``. It fails from 0.01 on. At α = 0, where nothing is proved, the error to first order takes its
    place; losses that are not convex have no proof, which is warned of.
    """
    check, path, alpha = "quadratic validity", examined.anchored, examined.alpha
    tol = path.tolerance
    if not path.loss.convex:
        meaning = (
            f"The loss {path.loss.name!r} is not convex: its gradient is zero at these weights, but nothing "
            "proves that no other weights are better."
        )
        advice = "Compare a convex loss with the same link: gamma, or tweedie:1.5."
        return Finding(check, "warn", float("nan"), tol, meaning, advice)
    value, how = float(path.certificate(alpha, relative=True)), "proved"
    if alpha == 0.0:
        size, how = float(path.norm(0.0)), "at α = 0 known to first order"
        value = float(path.residual_bound(0.0)) / size if size > 0 else 0.0
    low, high = path.trusted
    meaning = (
        f"The weights are {how}, to {number(value, 2)} of their length; the tolerance of {number(tol, 2)} is "
        f"kept from α = {number(low, 2)} to {number(high, 2)}."
    )
    if value <= tol:
        return Finding(check, "pass", value, tol, meaning, "")
    least = number(max(low, path.lowest), 2)
    advice = f"Take alpha ≥ {least}, or standardize=True (--standardize), or be content with a larger tol."
    return Finding(check, "fail" if value > NO_DIGITS else "warn", value, tol, meaning, advice)


def approximate_leave_one_out(examined: Examined) -> Finding:
    """Whether one Newton step leaves rows out as a new fit does (M14).

    The rows with the highest leverage are fitted without, in full. The value is the share of the
    leave-one-out error by which one step is off there, ``|Σ s_i (ℓ_exact − ℓ_step)| / Σ s_i ℓ_i``; it warns
    from 0.05 on. Rows with leverage above ½, where one step is rough, are named.
    """
    check, answers = "approximate leave-one-out", examined.answers
    found = spot_check(examined.anchored, examined.alpha)
    response, s = answers.response.take(found.rows), answers.weight
    exact, step = (response.value(eta[:, :, None])[:, 0] for eta in (found.exact, found.approximate))
    losses = answers.deviances.copy()
    losses[found.rows] = exact
    total, apart = float(s @ losses), float(s[found.rows] @ (step - exact))
    value = abs(apart) / total if total > 0 else 0.0
    rough = np.flatnonzero(answers.leverage > HIGH)
    rough = rough[np.argsort(-answers.leverage[rough], kind="stable")]
    named = f" {list_rows(examined, rough)}: above {HIGH:g} ({counted(examined)})." if len(rough) else ""
    meaning = (
        f"Without each of {len(found.rows)} rows of highest leverage (up to {answers.leverage.max():.2g}) a "
        f"new fit gives a leave-one-out error that differs by {value:.2%} from that of one step.{named}"
    )
    if value <= WRONG:
        return Finding(check, "pass", value, WRONG, meaning, "")
    advice = "Choose by criterion='kfold' (--criterion kfold) or validation=, which fit again."
    return Finding(check, "warn", value, WRONG, meaning, advice)
