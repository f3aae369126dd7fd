"""What a peer may need to know about the data, the loss and the training, checked once."""

from __future__ import annotations

import math
from difflib import get_close_matches
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from eigenshrink.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

LOSSES: dict[str, tuple[str, ...]] = {
    "squared": ("gaussian", "normal", "squared_error", "MSELoss"),
    "logistic": ("binomial", "log_loss", "BCEWithLogitsLoss"),
    "multinomial": ("CrossEntropyLoss",),
    "poisson": ("PoissonNLLLoss",),
    "gamma": (),
    "inverse_gaussian": ("inverse.gaussian",),
    "tweedie": (),
    "huber": (),
}
"""The house's names of a loss, each with the names that peers have for it."""

PARAMETERS = {"tweedie": "power", "huber": "δ"}
"""What the number after the colon of a name means: ``tweedie:1.5``."""


class Facts(TypedDict, total=False):
    """Everything that :func:`eigenshrink.convert` can be told; ``None`` means not given."""

    rows: int | None
    weight_sum: float | None
    outputs: int | None
    target_sd: float | Array | None
    penalty_factor_sum: float | None
    columns: int | None
    batch_size: float | None
    momentum: float | None
    loss: str | None
    loss_scale: float | None
    position: str | None
    solver: str | None


class Given(dict[str, Any]):
    """The facts that were given, checked; asking for another one is an InputError."""

    def __init__(self, facts: Mapping[str, Any], peer: str) -> None:
        super().__init__()
        self.peer = peer
        for name, value in facts.items():
            if name not in FACTS:
                raise InputError(f"{name} is no fact that convert knows: {close(name, FACTS)}")
            if value is not None:
                self[name] = FACTS[name].check(name, value)

    def __missing__(self, name: str) -> Any:
        raise InputError(f"{self.peer} needs {name}, {FACTS[name].meaning}: give {name}=...")


def close(name: str, known: Iterable[str]) -> str:
    """Name the known names nearest to a wrong one, at most three, or a few of those there are."""
    exact = {key.lower(): key for key in known}
    last = name.lower().rpartition(".")[2]
    same = [key for lower, key in exact.items() if lower.rpartition(".")[2] == last]
    near = [exact[lower] for lower in get_close_matches(name.lower(), exact, n=3, cutoff=0.5)]
    if found := list(dict.fromkeys(same + near))[:3]:
        return f"did you mean {' or '.join(map(repr, found))}?"
    first = list(exact.values())[:3]
    return f"there are {', '.join(map(repr, first))} and {len(exact) - len(first)} more"


def strength(value: Any, name: str) -> float | Array:
    """Return ``value`` as a float or a float64 array, every element in ``[0, inf]``."""
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if not number >= 0.0:
            raise InputError(f"{name} is {number}: a strength is 0 or larger, and inf is legal")
        return number + 0.0  # so that -0.0 becomes 0.0
    return _strengths(value, name)


def _strengths(value: Any, name: str) -> float | Array:
    import numpy as np  # here, so that the command line converts one number without it

    try:
        numbers = np.asarray(value)
    except ValueError:
        numbers = np.asarray("ragged")
    if numbers.dtype.kind not in "iuf":
        raise InputError(f"{name} is {value!r}: a number or an array of numbers is needed")
    wrong = numbers[~(numbers >= 0.0)]
    if wrong.size:
        raise InputError(f"{name} holds {wrong[0]}: a strength is 0 or larger, and inf is legal")
    return float(numbers) if numbers.ndim == 0 else numbers + np.float64(0.0)


def _positive(name: str, value: Any) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0.0 < float(value) < math.inf:
        raise InputError(f"{name} is {value!r}: it is {FACTS[name].meaning}, a positive number")
    return float(value)


def _whole(name: str, value: Any) -> float:
    number = _positive(name, value)
    if not number.is_integer():
        raise InputError(f"{name} is {value!r}: it is {FACTS[name].meaning}, a whole number")
    return number


def _spread(name: str, value: Any) -> float | Array:
    if isinstance(value, Real):
        return _positive(name, value)
    spreads = _strengths(value, name)
    for spread in getattr(spreads, "flat", [spreads]):
        _positive(name, spread)
    return spreads


def _fraction(name: str, value: Any) -> float:
    if not isinstance(value, Real) or not 0.0 <= float(value) < 1.0:
        raise InputError(f"{name} is {value!r}: it is {FACTS[name].meaning}, at least 0 and below 1")
    return float(value)


def _loss(name: str, value: Any) -> str:
    base, colon, number = str(value).partition(":")
    if colon and base in PARAMETERS:
        _parameter(name, value, number)
        return base
    for house, others in LOSSES.items():
        if value == house or value in others:
            return house
    known = [*LOSSES, *(other for others in LOSSES.values() for other in others)]
    raise InputError(f"{name} is {value!r}, which is no loss known here: {close(str(value), known)}")


def _parameter(name: str, value: Any, number: str) -> None:
    try:
        float(number)
    except ValueError as error:
        raise InputError(f"{name} is {value!r}: a number must follow the colon") from error


def _position(name: str, value: Any) -> str:
    if value not in ("before", "after"):
        raise InputError(f"{name} is {value!r}: it is {FACTS[name].meaning}, 'before' or 'after'")
    return str(value)


def _solver(name: str, value: Any) -> str:
    if value == "liblinear":
        raise InputError(
            f"{name} is 'liblinear': it penalises the intercept, so no strength gives the same model; "
            "use solver='newton-cholesky' or 'lbfgs'"
        )
    return str(value)


class Fact(NamedTuple):
    """What a fact means, in the words of an error message, and which values it may have."""

    meaning: str
    check: Callable[[str, Any], Any]


FACTS: dict[str, Fact] = {
    "rows": Fact("n, the number of rows", _whole),
    "weight_sum": Fact("S, the sum of the sample weights (without weights: the number of rows)", _positive),
    "outputs": Fact("t, the number of outputs", _whole),
    "target_sd": Fact("the weighted sd of y, dividing by S (without intercept: √mean(y²))", _spread),
    "penalty_factor_sum": Fact("the sum of penalty.factor over all columns", _positive),
    "columns": Fact("p, the number of columns", _whole),
    "batch_size": Fact("the rows of one batch, or the sum of their weights", _positive),
    "momentum": Fact("μ, the momentum of the optimiser", _fraction),
    "loss": Fact("the name of the loss", _loss),
    "loss_scale": Fact("your loss divided by L of the house, e.g. 2/t for MSELoss of t outputs", _positive),
    "position": Fact("where the decay stands in the chain, seen from the momentum", _position),
    "solver": Fact("the solver of the peer", _solver),
}
