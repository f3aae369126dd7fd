"""How a peer's number follows from the house's α and the facts: each rule is one factor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from eigenshrink.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from eigenshrink.units.facts import Given


class Rule(NamedTuple):
    """A peer's number is ``factor·α``, or ``1/(factor·α)`` where it is a reciprocal."""

    formula: str
    needs: tuple[str, ...]  # the facts that the factor cannot do without
    factor: Callable[[Given], Any]  # a positive number or array; None: no strength gives the same model
    reciprocal: bool = False


def _mean_weight(given: Given) -> float:
    return float(given["weight_sum"] / given["rows"])


def _statsmodels_glm(given: Given) -> float | None:
    return _mean_weight(given) if given["loss"] in ("logistic", "poisson") else None


def _unweighted_rows(given: Given) -> float | None:
    rows = float(given["rows"])
    return rows if given.get("weight_sum", rows) == rows else None


def _penalty_factor(given: Given) -> float:
    if "penalty_factor_sum" not in given:
        return 1.0  # not in use: glmnet's own are all 1 and sum to p
    return float(given["penalty_factor_sum"] / given["columns"])


def _loss_scale(given: Given) -> float:
    if "loss_scale" in given:
        return float(given["loss_scale"])
    loss = given["loss"]
    if loss == "multinomial":
        return 1.0
    if loss not in ("squared", "logistic", "poisson"):
        raise InputError(f"{given.peer} has no {loss} loss: give loss_scale=, your loss divided by L")
    return float((2.0 if loss == "squared" else 1.0) / given["outputs"])


def _full_batch(given: Given) -> float | None:
    batch = given.get("batch_size")
    return _loss_scale(given) if batch is None or batch >= given["rows"] else None


def _decoupled(given: Given) -> float:
    return _loss_scale(given) / float(1.0 - given["momentum"])


def _optax(given: Given) -> float:
    return _loss_scale(given) if given["position"] == "before" else _decoupled(given)


_NETWORK = ("loss", "outputs")

SAME = Rule("α", (), lambda given: 1.0)
TOTAL = Rule("S·α", ("weight_sum",), lambda given: given["weight_sum"])
INVERSE_TOTAL = Rule("1/(S·α)", ("weight_sum",), lambda given: given["weight_sum"], reciprocal=True)
MEAN_WEIGHT = Rule("α·S/n", ("rows", "weight_sum"), _mean_weight)
STATSMODELS_GLM = Rule("α·S/n", ("rows", "weight_sum", "loss"), _statsmodels_glm)
BATCH = Rule("α·batch_size", ("batch_size",), lambda given: given["batch_size"])
UNWEIGHTED_ROWS = Rule("n·α", ("rows",), _unweighted_rows)
TARGET_SD = Rule("α·sd_n(y)", ("target_sd",), lambda given: given["target_sd"])
GLMNET_GAUSSIAN = Rule(
    "α·sd_n(y)·Σpf/p", ("target_sd",), lambda given: given["target_sd"] * _penalty_factor(given)
)
GLMNET = Rule("α·Σpf/p", (), _penalty_factor)
LOSS_SCALE = Rule("α·loss_scale", _NETWORK, _loss_scale)
FULL_BATCH = Rule("α·loss_scale", _NETWORK, _full_batch)
DECOUPLED = Rule("α·loss_scale/(1−μ)", (*_NETWORK, "momentum"), _decoupled)
OPTAX = Rule("α·loss_scale before the momentum, α·loss_scale/(1−μ) after it", (*_NETWORK, "position"), _optax)
NONE = Rule("none", (), lambda given: None)
