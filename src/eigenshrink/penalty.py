"""The price of complexity: value, gradient and the one extra term in an update (M1-M3)."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from numbers import Real
from operator import add
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.errors import InputError

Weights: TypeAlias = Any
"""A number, an array or tensor of any shape, or a (nested) list or tuple of these."""


@dataclass(frozen=True, eq=False)
class L2:
    """Quadratic penalty ``Ω(w) = (α/2) wᵀDw`` for weights of any structure (M1, M2, M3).

    Weights are a number, an array of any shape, or a list or tuple of these, also nested, as the
    parameters of a network are. Apart from numbers only operators and ``.sum()`` are used on them, so
    tensors of other libraries keep their type, device and derivatives.

    Parameters
    ----------
    alpha : float, >= 0
        Strength in house units, loss / weight². 0 switches the penalty off. ``inf`` is legal for
        :meth:`value` only: the price is then 0 where every penalised weight is 0, else infinite.
    penalty_factor : None, number, array, or list matching a list of weights, >= 0 and finite
        The diagonal ``d`` of D, relative to alpha. An array must broadcast to the weights that it
        belongs to; in a list each entry may be ``None`` (as 1) or 0 (free, as a bias usually is).
        Arrays are copied.

    Raises
    ------
    InputError
        If alpha or a factor is negative or NaN, if a factor is infinite, or, at a call, if factors,
        weights and gradient do not fit each other.

    Notes
    -----
    O(size of w) per call; the result has the dtype of the weights, whatever that of the factors. NaN
    in the weights stays NaN. Hoerl & Kennard (1970), Technometrics 12(1); Krogh & Hertz (1991), NIPS 4.

    Examples
    --------
    >>> import numpy as np
    >>> penalty = L2(0.5, penalty_factor=[1.0, 0.0])
    >>> layer, bias = np.array([[2.0, 0.0]]), np.array([7.0])
    >>> float(penalty.value([layer, bias]))
    1.0
    >>> penalty.gradient([layer, bias])
    [array([[1., 0.]]), array([0.])]
    """

    alpha: float
    penalty_factor: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", _one(self.alpha, "alpha"))
        object.__setattr__(self, "penalty_factor", _checked(self.penalty_factor, "penalty_factor"))

    def value(self, w: Weights) -> Any:
        """Price of the weights, ``(α/2) wᵀDw`` (M1), one number over all of them.

        Parameters
        ----------
        w : number, array, or list or tuple of these
            Weights; an empty list costs nothing.

        Examples
        --------
        >>> L2(2.0).value(3.0)
        9.0
        """
        prices = [self._price(leaf, d) for leaf, d in _with_factors(w, self.penalty_factor)]
        return reduce(add, prices) if prices else 0.0

    def gradient(self, w: Weights) -> Weights:
        """Pull towards zero, ``αDw`` (M2), in the structure of the weights.

        Parameters
        ----------
        w : number, array, or list or tuple of these
            Weights. Needs a finite alpha.

        Examples
        --------
        >>> L2(2.0).gradient((3.0, [1.0]))
        (6.0, [2.0])
        """
        self._need_finite("gradient")
        return _rebuild(
            w, (_scaled(leaf, self.alpha, d) for leaf, d in _with_factors(w, self.penalty_factor))
        )

    def update(self, w: Weights, gradient: Weights, learning_rate: float) -> Weights:
        """One step of gradient descent with the penalty in it, ``w − η(∇L + αDw)`` (M3).

        Parameters
        ----------
        w : number, array, or list or tuple of these
            Weights; they are not changed, the result is new.
        gradient : as w
            ``∇L(w)`` of the loss alone, on all rows or on a batch, in the shapes of w.
        learning_rate : float, >= 0
            Step length η; the step contracts while ``η(λ_max + α max d) < 2``.

        Examples
        --------
        >>> L2(0.5).update(2.0, gradient=1.0, learning_rate=0.1)
        1.8
        """
        self._need_finite("update")
        rate = _one(learning_rate, "learning_rate")
        if math.isinf(rate):
            raise InputError("learning_rate is inf; a step needs a finite length")
        pairs = zip(_with_factors(w, self.penalty_factor), _beside(w, gradient), strict=True)
        return _rebuild(w, (_step(leaf, slope, rate, self.alpha, d) for (leaf, d), slope in pairs))

    def _price(self, leaf: Any, d: Any) -> Any:
        if math.isinf(self.alpha):
            # Not the squares: a weight of 1e-200 is not zero, its square is.
            size = _sum(abs(_scaled(leaf, 1.0, d)))
            return size * self.alpha if size != 0 else size
        return _sum(_scaled(leaf, 0.5 * self.alpha, d) * leaf)

    def _need_finite(self, what: str) -> None:
        if math.isinf(self.alpha):
            raise InputError(
                f"alpha is inf, which has no {what}: the penalised weights are exactly 0 there; set them "
                "to 0 and train the free ones, or give a finite alpha"
            )


def strengths(alpha: ArrayLike, name: str = "alpha") -> NDArray[np.float64]:
    """Strengths as float64 in the shape that was given, each in [0, inf].

    Parameters
    ----------
    alpha : number or array of any shape, >= 0
        0 and ``inf`` are legal (M6).
    name : str
        What the error calls it.

    Raises
    ------
    InputError
        If it is not numeric, negative or NaN; the message names the item and its value.

    Examples
    --------
    >>> strengths([0, 1e-3, float("inf")])
    array([0.   , 0.001,   inf])
    """
    values = _numbers(alpha, name)
    _refuse(~(values >= 0), values, name, "a number >= 0 (0 and inf are legal)")
    return values


def some_strengths(alpha: ArrayLike, name: str = "alpha") -> NDArray[np.float64]:
    """One strength ``()`` or a list of them ``(a,)``, a ≥ 1, in [0, inf]."""
    values = strengths(alpha, name)
    if values.ndim > 1 or not values.size:
        raise InputError(f"{name} has shape {values.shape}; give one strength, or a list of at least one")
    return values


def one_strength(alpha: ArrayLike, name: str = "alpha") -> float:
    """A single strength in [0, inf]; several are an InputError."""
    values = strengths(alpha, name)
    if values.ndim:
        raise InputError(f"{name} has shape {values.shape}; one strength is needed here")
    return float(values)


def penalty_factors(penalty_factor: ArrayLike | None, p: int) -> NDArray[np.float64]:
    """Relative strength of each of p weights, the diagonal of D (M1, M12).

    Parameters
    ----------
    penalty_factor : None, number, or (p,), >= 0 and finite
        ``None`` means 1 for all; 0 leaves a weight free, and all may be free.
    p : int
        Number of weights.

    Raises
    ------
    InputError
        If the length is not p, or a value is negative, NaN, infinite or not numeric.

    Examples
    --------
    >>> penalty_factors([1, 0, 2], p=3)
    array([1., 0., 2.])
    """
    if penalty_factor is None:
        return np.ones(p)
    values = _numbers(penalty_factor, "penalty_factor")
    if values.shape not in {(), (p,)}:
        raise InputError(
            f"penalty_factor has shape {values.shape}; it needs one number, or one per column: ({p},)"
        )
    _refuse_factors(values, "penalty_factor")
    return np.full(p, values)


def _one(value: Any, name: str) -> float:
    values = strengths(value, name)
    if values.shape != ():
        raise InputError(f"{name} has shape {values.shape}; one number is needed here")
    return float(values)


_FACTOR_NEEDS = "a finite number >= 0 (0 leaves the weight free)"


def _numbers(value: Any, name: str) -> NDArray[np.float64]:
    """Float64 copy of what is numeric already: text that reads like a number, and yes or no, are refused."""
    try:
        array = np.asarray(value)
        numeric = array.dtype.kind in "iuf" or (array.dtype.kind == "O" and all(map(_is_number, array.flat)))
        values = array.astype(np.float64) if numeric else None
    except (ValueError, OverflowError):
        values = None
    if values is None:
        raise InputError(f"{name} is {reprlib.repr(value)}; it needs a number or an array of numbers")
    return values


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _refuse(bad: Any, values: Any, name: str, needs: str) -> None:
    """Raise for the first value that is marked bad. Operators only: it may be anybody's tensor."""
    if not bad.sum():
        return
    verb = "holds" if values.shape else "is"
    if isinstance(values, np.ndarray) and values.ndim:
        name, verb = f"{name}{np.argwhere(bad)[0].tolist()}", "is"
    raise InputError(f"{name} {verb} {float(values[bad][0]):g}; it needs {needs}")


def _refuse_factors(values: Any, name: str) -> None:
    _refuse(~((values >= 0) & (values < math.inf)), values, name, _FACTOR_NEEDS)


def _checked(factor: Any, name: str) -> Any:
    """Copy of the factors in their structure, each None and each number as a float."""
    if factor is None:
        return 1.0
    if isinstance(factor, list | tuple):
        return [_checked(item, f"{name}[{i}]") for i, item in enumerate(factor)]
    if not _is_array(factor, name) or isinstance(factor, np.ndarray):
        factor = _numbers(factor, name)
    _refuse_factors(factor, name)
    return float(factor) if factor.shape == () else factor * 1.0


def _is_array(value: Any, name: str) -> bool:
    """Tell an array, NumPy's or not, from a number; anything else is refused."""
    if _is_number(value):
        return False
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    if hasattr(value, "shape") and hasattr(value, "sum") and kind in "iuf":
        return True
    found = f"an array of dtype {value.dtype}" if hasattr(value, "dtype") else reprlib.repr(value)
    raise InputError(f"{name} is {found}; it needs a number, an array of numbers, or a list of these")


def _leaves(w: Weights, name: str) -> Iterator[tuple[str, Any]]:
    """Each array or number of a structure, with what an error calls it."""
    if isinstance(w, list | tuple):
        for i, item in enumerate(w):
            yield from _leaves(item, f"{name}[{i}]")
    else:
        _is_array(w, name)
        yield name, w


def _rebuild(w: Weights, new: Iterator[Any]) -> Weights:
    """Build the structure of w from new leaves."""
    if not isinstance(w, list | tuple):
        return next(new)
    items = [_rebuild(item, new) for item in w]
    return w._make(items) if hasattr(w, "_make") else type(w)(items)


def _with_factors(w: Weights, factor: Any, at: str = "") -> Iterator[tuple[Any, Any]]:
    """Each leaf of the weights with its factor: a float, or an array that broadcasts to it."""
    if isinstance(factor, float):
        yield from ((leaf, factor) for _, leaf in _leaves(w, f"w{at}"))
    elif not isinstance(w, list | tuple):
        _is_array(w, f"w{at}")
        yield w, _fitting(factor, w, at)
    elif isinstance(factor, list) and len(factor) == len(w):
        for i, (item, d) in enumerate(zip(w, factor, strict=True)):
            yield from _with_factors(item, d, f"{at}[{i}]")
    else:
        raise InputError(
            f"penalty_factor{at} is {_look(factor)}, w{at} is {_look(w)}: give a list with one factor per "
            "item (None for 1, 0 for free), or one number for all"
        )


def _fitting(factor: Any, leaf: Any, at: str) -> Any:
    """Refuse a factor array that would change the shape or the kind of the weights."""
    if isinstance(factor, list) and isinstance(leaf, np.ndarray):
        factor = _numbers(factor, f"penalty_factor{at}")
    shape, target = getattr(factor, "shape", (-1,)), getattr(leaf, "shape", ())
    pairs = zip(shape[::-1], target[::-1], strict=False)
    if len(shape) > len(target) or any(have not in (1, need) for have, need in pairs):
        advice = "give one number, or one factor per weight"
    elif isinstance(factor, np.ndarray) != isinstance(leaf, np.ndarray):
        advice = f"give a {type(leaf).__name__}, the kind of array that holds the weights"
    else:
        return factor
    raise InputError(
        f"penalty_factor{at} is {_look(factor)}, which does not fit w{at}, {_look(leaf)}: {advice}"
    )


def _beside(w: Weights, gradient: Weights) -> Iterator[Any]:
    """Each leaf of the gradient, in the order of the weights and checked against them."""
    ours, theirs = list(_leaves(w, "w")), list(_leaves(gradient, "gradient"))
    if [at.removeprefix("w") for at, _ in ours] != [at.removeprefix("gradient") for at, _ in theirs]:
        raise InputError(f"gradient is {_look(gradient)}, w is {_look(w)}: they must be built alike")
    for (at, leaf), (beside, slope) in zip(ours, theirs, strict=True):
        if getattr(slope, "shape", ()) != getattr(leaf, "shape", ()):
            raise InputError(f"{beside} is {_look(slope)}, {at} is {_look(leaf)}: shapes must be equal")
        # A number beside a number of another precision would decide the precision of the result.
        ours_alone = _is_number(leaf) or (isinstance(leaf, np.ndarray) and leaf.ndim == 0)
        yield float(slope) if ours_alone else slope


def _look(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    shape = tuple(getattr(value, "shape", ()))
    return f"a {type(value).__name__} of shape {shape}" if shape else "a number"


def _scaled(leaf: Any, strength: float, factor: Any) -> Any:
    """New ``strength D w`` in the dtype of the weights, which a factor of higher precision must not raise."""
    if isinstance(factor, float):
        return leaf * (strength * factor)
    scaled = leaf * strength
    scaled *= factor
    return scaled


def _step(leaf: Any, slope: Any, rate: float, strength: float, factor: Any) -> Any:
    pull = _scaled(leaf, strength, factor)
    pull += slope
    return leaf - rate * pull


def _sum(term: Any) -> Any:
    return term.sum() if hasattr(term, "sum") else term
