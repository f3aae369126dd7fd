"""Checks of the answer itself where the loss is not quadratic: its proof, its leave-one-out (M14, M16, M18)."""

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
    check, path, alpha, tol = (
        "quadratic validity",
        examined.anchored,
        examined.alpha,
        examined.anchored.tolerance,
    )
    if not path.loss.convex:
        meaning = (
            f"The loss {path.loss.name!r} is not convex: the weights stand where its gradient is zero, and "
            "nothing proves that no other place is better."
        )
        advice = "Compare another loss with a log link, gamma or tweedie:1.5, which are convex."
        return Finding(check, "warn", float("nan"), tol, meaning, advice)
    value, how = float(path.certificate(alpha, relative=True)), "proved"
    if alpha == 0.0:
        size = float(path.norm(0.0))
        value, how = (
            float(path.residual_bound(0.0)) / size if size > 0 else 0.0,
            "known to first order, at α = 0,",
        )
    low, high = path.trusted
    meaning = (
        f"The weights are {how} to {number(value, 2)} of their length; the tolerance {number(tol, 2)} is kept "
        f"from α = {number(low, 2)} to {number(high, 2)}."
    )
    if value <= tol:
        return Finding(check, "pass", value, tol, meaning, "")
    advice = f"Take alpha ≥ {number(max(low, path.lowest), 2)}, use standardize=True (--standardize), or a larger tol."
    return Finding(check, "fail" if value > NO_DIGITS else "warn", value, tol, meaning, advice)


def approximate_leave_one_out(examined: Examined) -> Finding:
    """Whether one Newton step leaves rows out as a new fit does (M14).

    The rows with the highest leverage are fitted without, in full. The value is the share of the
    leave-one-out error by which they are then off, ``|Σ s_i (ℓ_exact − ℓ_one step)| / Σ s_i ℓ_i``; it warns
    from 0.05 on. Leverages above ½ are named, since one step is rough there.
    """
    check, answers = "approximate leave-one-out", examined.answers
    found = spot_check(examined.anchored, examined.alpha)
    exact, step = (_losses(examined, found.rows, predictor) for predictor in (found.exact, found.approximate))
    s = answers.weight
    total = float(s @ np.where(np.isfinite(answers.deviances), answers.deviances, 0.0))
    apart = float(np.abs(s[found.rows] @ (exact - step)))
    value = apart / total if total > 0 else 0.0
    rough = np.flatnonzero(answers.leverage > HIGH)
    rough = rough[np.argsort(-answers.leverage[rows_])] if len(rows_ := rough) else rough
    high = f"leverage up to {answers.leverage.max():.2g}"
    named = f" {list_rows(examined, rough)} above {HIGH:g} ({counted(examined)})." if len(rough) else ""
    meaning = (
        f"Fitted again without each of {len(found.rows)} rows of the highest leverage, the leave-one-out error "
        f"changes by {value:.2%}; {high}.{named}"
    )
    if value <= WRONG:
        return Finding(check, "pass", value, WRONG, meaning, "")
    advice = (
        "Choose by criterion='kfold' (--criterion kfold) or validation=, which fit again; look at these rows."
    )
    return Finding(check, "warn", value, WRONG, meaning, advice)
