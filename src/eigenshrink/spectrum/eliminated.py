"""Free weights eliminated by products with H: ``H_S = H_PP − H_PF H_FF⁺ H_FP`` (M12, M19)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError, NotConverged
from eigenshrink.fit import Fit
from eigenshrink.spectrum.checkpoint import Checkpoint
from eigenshrink.spectrum.record import FreeBlock

Array = NDArray[np.float64]
Report = Callable[[int, int, str], Any]  # products done, at most, what for

COLUMNS = 2000  # free weights up to which their columns of H are made
BLOCK = 16  # products at once, of these columns
SPAN = 1 << 15  # weights that are multiplied at once where columns are kept in float32
INNER = 500  # products of one solve with H_FF
MARGIN = 3.0  # times the rounding of a product is noise


class Onto(ABC):
    """``H_FF⁺ H_FP`` as something that can be multiplied, ``(f, p_pen)``."""

    __array_ufunc__ = None  # numpy leaves products to this class

    @abstractmethod
    def __matmul__(self, vectors: Array) -> Array:
        """``H_FF⁺ H_FP V``, ``(p_pen,)`` or ``(p_pen, m)``."""

    @abstractmethod
    def back(self, vectors: Array) -> Array:
        """``H_PF H_FF⁺ V``, ``(f,)`` or ``(f, m)``."""

    @property
    def T(self) -> Turned:
        """The transpose."""
        return Turned(self)

    def __neg__(self) -> Negative:
        return Negative(self)


@dataclass(frozen=True, eq=False)
class Turned:
    """Transpose of an :class:`Onto`."""

    onto: Onto

    def __matmul__(self, vectors: Array) -> Array:
        return self.onto.back(vectors)


class Negative(Onto):
    """The same with the other sign."""

    def __init__(self, onto: Onto) -> None:
        self.onto = onto

    def __matmul__(self, vectors: Array) -> Array:
        """Minus the product."""
        return -(self.onto @ vectors)

    def back(self, vectors: Array) -> Array:
        """Minus the product."""
        return -self.onto.back(vectors)


class Columns(Onto):
    """Kept as an array in the precision of the products, multiplied in float64."""

    def __init__(self, array: NDArray[np.floating]) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.floating]:
        return np.array(self.array, dtype=dtype, copy=True)

    def __matmul__(self, vectors: Array) -> Array:
        """One pass over the array."""
        total = np.zeros((len(self.array), *vectors.shape[1:]))
        for part in self._parts():
            total += self.array[:, part].astype(np.float64, copy=False) @ vectors[part]
        return total

    def back(self, vectors: Array) -> Array:
        """One pass over the array."""
        answer = np.empty((self.array.shape[1], *vectors.shape[1:]))
        for part in self._parts():
            answer[part] = self.array[:, part].T.astype(np.float64, copy=False) @ vectors
        return answer

    def _parts(self) -> Iterator[slice]:
        width = self.array.shape[1]
        step = max(1, width if self.array.dtype == np.float64 else SPAN)
        return (slice(start, min(start + step, width)) for start in range(0, width, step))


class Solved(Onto):
    """By conjugate gradients on H_FF, for every product anew: nothing of size f × p is kept.

    All columns of a product share their products with H.
    """

    def __init__(self, fit: Fit) -> None:
        self.fit = fit
        self.products = 0
        self.accuracy = max(1e-10, 10 * float(np.finfo(fit.curvature.precision).eps))

    def __matmul__(self, vectors: Array) -> Array:
        """One product, and those of one solve."""
        fit = self.fit
        right = self._product(vectors, fit.penalised)[fit.free]
        return self.inverse(right)

    def back(self, vectors: Array) -> Array:
        """Those of one solve, and one product."""
        fit = self.fit
        return self._product(self.inverse(vectors), fit.free)[fit.penalised]

    def inverse(self, vectors: Array) -> Array:
        """``H_FF⁺ V``; columns that are not in the range of H_FF are solved with ``H_FF²`` instead.

        Raises
        ------
        InputError
            If a direction of negative curvature is met.
        NotConverged
            If 500 products do not reach the accuracy.
        """
        right = vectors.reshape(len(vectors), -1)
        found, beyond = self._solve(right, self._inside)
        if beyond.any():
            ahead = self._inside(right[:, beyond])
            found[:, beyond] = self._solve(ahead, lambda each: self._inside(self._inside(each)))[0]
        return found.reshape(vectors.shape)

    def _solve(self, right: Array, product: Callable[[Array], Array]) -> tuple[Array, NDArray[np.bool_]]:
        """Conjugate gradients for every column, and which of them met a flat direction."""
        found, rest = np.zeros_like(right), right.copy()
        ahead, size = rest.copy(), np.square(rest).sum(axis=0)
        wanted = self.accuracy**2 * size
        beyond, steepest = np.zeros(right.shape[1], dtype=bool), 0.0
        for _ in range(INNER):
            busy = np.flatnonzero((size > wanted) & ~beyond)
            if not len(busy):
                return found, beyond
            p = ahead[:, busy]
            turned = product(p)
            bent, length = np.einsum("ij,ij->j", p, turned), np.square(p).sum(axis=0)
            steepest = max(steepest, float((np.abs(bent) / length).max()))
            if np.any(bent < -steepest * np.sqrt(self.accuracy) * length):
                raise InputError(_negative(float((bent / length).min())))
            flat = bent <= steepest * self.accuracy * length
            beyond[busy[flat]] = True
            step = np.where(flat, 0.0, size[busy] / np.where(flat, 1.0, bent))
            found[:, busy] += step * p
            rest[:, busy] -= step * turned
            now = np.square(rest[:, busy]).sum(axis=0)
            ahead[:, busy] = rest[:, busy] + now / size[busy] * p
            size[busy] = now
        raise NotConverged(
            f"{len(self.fit.free)} free weights (penalty_factor 0) are not solved by {INNER} products: "
            f"penalise some of them, or leave {COLUMNS} or fewer free"
        )

    def _inside(self, vectors: Array) -> Array:
        """``H_FF V``."""
        return self._product(vectors, self.fit.free)[self.fit.free]

    def _product(self, vectors: Array, places: NDArray[np.intp]) -> Array:
        padded = np.zeros((len(self.fit.penalty_factor), *vectors.shape[1:]))
        padded[places] = vectors
        self.products += vectors.shape[1] if vectors.ndim == 2 else 1
        return self.fit.curvature.matvec(padded)


@dataclass(frozen=True, eq=False)
class Eliminated:
    """The free block with what it cost.

    Attributes
    ----------
    block : FreeBlock
    products : int
        With H.
    """

    block: FreeBlock
    products: int


def column_bytes(fit: Fit) -> int:
    """Bytes of the columns of free weights while they are made."""
    f, p = len(fit.free), len(fit.penalty_factor)
    return f * p * fit.curvature.precision.itemsize + 3 * 8 * f * f + 2 * 8 * BLOCK * p


def by_columns(fit: Fit, memory: int) -> bool:
    """Whether the columns of free weights are made: there are few enough, and they fit in half the memory."""
    return len(fit.free) <= COLUMNS and column_bytes(fit) <= memory // 2


def eliminate(
    fit: Fit, memory: int, report: Report | None = None, checkpoint: Checkpoint | None = None
) -> Eliminated:
    """Solve the free weights for every value of the others: ``w_F = offset − onto · w_P`` (M12).

    Up to 2000 free weights their columns of H are made by products, once, and H_FF is inverted by its
    eigenvalues above the rounding of the products (rank m). More of them, or too little memory: conjugate
    gradients on H_FF inside every product. One Krylov space of ``H_S`` then serves every strength, which
    costs no more than a solve with ``H + αD`` for each of them (M19). The rank is not known then: m is
    the number of free weights, an upper bound.

    Raises
    ------
    InputError
        If the free block has negative curvature: the free weights then have no optimum.
    """
    free, pen = fit.free, fit.penalised
    if not len(free):
        nothing = FreeBlock(0, np.zeros((0, len(pen))), np.zeros((0, 1)), np.zeros((0, 0)))
        return Eliminated(nothing, 0)
    if not by_columns(fit, memory):
        solved = Solved(fit)
        offset = fit.weights[free] - solved.inverse(fit.gradient[free]) + solved @ fit.weights[pen]
        return Eliminated(FreeBlock(len(free), solved, offset, _shadow(solved, fit)), solved.products)
    rows = _columns(fit, report, checkpoint or Checkpoint(None, fit))
    noise = MARGIN * float(np.finfo(fit.curvature.precision).eps)
    inside = rows[:, free].astype(np.float64)
    values, vectors = np.linalg.eigh(0.5 * (inside + inside.T))
    largest = float(np.abs(values).max())
    if values[0] < -1e2 * noise * largest:
        raise InputError(_negative(float(values[0])))
    keep = values > noise * np.sqrt(len(free)) * largest
    root = vectors[:, keep] / np.sqrt(values[keep])
    inverse = root @ root.T
    onto = Columns(_times(inverse, rows, pen))
    offset = fit.weights[free] - inverse @ fit.gradient[free] + onto @ fit.weights[pen]
    return Eliminated(FreeBlock(int(keep.sum()), onto, offset, root), len(free))


def _columns(fit: Fit, report: Report | None, checkpoint: Checkpoint) -> NDArray[np.floating]:
    """Rows of H that belong to free weights, ``(f, p)``, in the precision of the products."""
    free, p = fit.free, len(fit.penalty_factor)
    rows = np.empty((len(free), p), dtype=fit.curvature.precision)
    kept = checkpoint.read("free")
    done = 0 if kept is None else len(kept["rows"])
    if kept is not None:
        rows[:done] = kept["rows"]
    for start in range(done, len(free), BLOCK):
        picked = free[start : start + BLOCK]
        units = np.zeros((p, len(picked)))
        units[picked, np.arange(len(picked))] = 1.0
        rows[start : start + len(picked)] = fit.curvature.matvec(units).T
        done = start + len(picked)
        checkpoint.write("free", partial(dict, rows=rows[:done]), last=done == len(free))
        if report is not None:
            report(done, len(free), "free weights")
    if not np.isfinite(rows).all():
        raise InputError("products with the curvature give NaN or infinity: look where the loss is finite")
    return rows


def _times(inverse: Array, rows: NDArray[np.floating], pen: NDArray[np.intp]) -> NDArray[np.floating]:
    """``H_FF⁺ H_FP`` in place of the rows, part by part."""
    for start in range(0, len(pen), SPAN):
        picked = pen[start : start + SPAN]
        rows[:, start : start + len(picked)] = inverse @ rows[:, picked].astype(np.float64)
    return rows[:, : len(pen)]


def _shadow(solved: Solved, fit: Fit) -> Array:
    """A root that gives ``gᵀ H_FF⁺ g`` of the gradient right, all that is asked of it without rows."""
    g = fit.gradient[fit.free]
    inverse = solved.inverse(g)
    size = float((g * inverse).sum())
    return inverse / np.sqrt(size) if size > 0 else np.zeros((len(g), 0))


def _negative(value: float) -> str:
    return (
        f"the curvature is negative, {value:.3g}, among the free weights (penalty_factor 0), which then "
        "have no optimum: penalise them, or use curvature='ggn', a Gauss-Newton matrix"
    )
