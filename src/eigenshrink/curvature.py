"""The curvature H of the loss without penalty (M4): something with a dimension and a product.

A new kind of curvature is a subclass with ``dim`` and ``matvec``; ``dense`` is optional and is made of
products where it is not given. Every curvature is accepted by ``scipy.sparse.linalg.aslinearoperator``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from eigenshrink.data.rows import Rows
from eigenshrink.errors import InputError

Array = NDArray[np.float64]

DENSE_LIMIT = 20_000  # rows of the largest square array that is formed: 3.2 GB


class Curvature(ABC):
    """A symmetric matrix of shape (dim, dim), known by its products.

    Attributes
    ----------
    precision : dtype
        In which products are computed; they are handed out in float64.
    positive : bool
        Positive semidefinite by construction, as Gauss-Newton matrices are.
    factor_rows : int or None
        r, where ``H = BᵀB`` with few rows r and :meth:`factor` makes B at the cost of about r products.
    """

    dtype = np.dtype(np.float64)
    precision: np.dtype[Any] = np.dtype(np.float64)
    positive: bool = False
    factor_rows: int | None = None

    @property
    @abstractmethod
    def dim(self) -> int:
        """Number of weights."""

    @abstractmethod
    def matvec(self, v: Array) -> Array:
        """``H v`` for v of shape (p,) or (p, m)."""

    @property
    def shape(self) -> tuple[int, int]:
        """(dim, dim)."""
        return self.dim, self.dim

    def matmat(self, V: Array) -> Array:
        """``H V``, the same as :meth:`matvec`."""
        return self.matvec(V)

    def rmatvec(self, v: Array) -> Array:
        """``Hᵀ v``: H is symmetric."""
        return self.matvec(v)

    def factor(self) -> NDArray[np.floating]:
        """B with ``H = BᵀB``, ``(r, p)``, where :attr:`factor_rows` is set."""
        raise InputError(f"{type(self).__name__} has no factor: use its products")

    @cached_property
    def dense(self) -> Array:
        """H as an array, ``(p, p)``."""
        fits_densely(self.dim)
        return self.matvec(np.eye(self.dim))


class Gram(Curvature):
    """``H = ZᵀZ / S`` of weighted and centred rows: the curvature of squared loss.

    Centring has eliminated the intercept, exactly (M12).
    """

    def __init__(self, rows: Rows, weight_sum: float) -> None:
        self.rows = rows
        self.weight_sum = weight_sum

    @property
    def dim(self) -> int:
        """Number of columns."""
        return self.rows.shape[1]

    def matvec(self, v: Array) -> Array:
        """``Zᵀ(Zv)/S``: two passes, no p×p array."""
        V = np.asarray(v, dtype=np.float64)
        product = np.concatenate([block for _, block in self.rows.times(V.reshape(self.dim, -1))])
        return (self.rows.transpose_times(product) / self.weight_sum).reshape(V.shape)

    @cached_property
    def dense(self) -> Array:
        """``ZᵀZ/S`` in one pass."""
        fits_densely(self.dim)
        total = self.rows.gram()
        total /= self.weight_sum
        return total


class MatrixCurvature(Curvature):
    """Anybody's Hessian, given as an array."""

    def __init__(self, matrix: Array) -> None:
        self.matrix = matrix

    @property
    def dim(self) -> int:
        """Number of weights."""
        return int(self.matrix.shape[0])

    def matvec(self, v: Array) -> Array:
        """``H v``."""
        return self.matrix @ v

    @cached_property
    def dense(self) -> Array:
        """The array itself."""
        return self.matrix


class OperatorCurvature(Curvature):
    """Anybody's Hessian, given by its products: a scipy or curvlinops-like operator."""

    def __init__(self, product: Callable[[Array], Any], dim: int) -> None:
        self._product = product
        self._dim = dim

    @property
    def dim(self) -> int:
        """Number of weights."""
        return self._dim

    def matvec(self, v: Array) -> Array:
        """``H v``, one product per column."""
        V = np.asarray(v, dtype=np.float64)
        columns = [np.ravel(self._product(column)) for column in V.reshape(self.dim, -1).T]
        if any(column.shape != (self.dim,) for column in columns):
            raise InputError(f"hessian.matvec must give {self.dim} numbers; got shape {columns[0].shape}")
        return np.stack(columns, axis=1).astype(np.float64).reshape(V.shape)

    @cached_property
    def dense(self) -> Array:
        """H as an array, checked as one."""
        fits_densely(self.dim)
        return symmetric(self.matvec(np.eye(self.dim)))


def as_curvature(hessian: Any) -> Curvature:
    """Adapt an array or an operator with ``shape`` and ``matvec`` (or ``@``).

    Raises
    ------
    InputError
        If it is not square, not finite or not symmetric.
    """
    if isinstance(hessian, Curvature):
        return hessian
    if issparse(hessian):
        hessian = hessian.toarray()
    if hasattr(hessian, "shape") and hasattr(hessian, "matvec"):
        p = int(hessian.shape[0])
        if tuple(hessian.shape) != (p, p):
            raise InputError(f"hessian must be square; got shape {tuple(hessian.shape)}")
        return OperatorCurvature(hessian.matvec, p)
    try:
        matrix = np.asarray(hessian, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            "hessian must be an array of numbers or an operator with shape and matvec; "
            f"got {type(hessian).__name__}"
        ) from error
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"hessian must be square; got shape {matrix.shape}")
    return MatrixCurvature(symmetric(matrix))


def symmetric(matrix: Array) -> Array:
    """The symmetric part of a Hessian that is finite and symmetric up to noise."""
    if not np.isfinite(matrix).all():
        raise InputError("hessian holds NaN or infinity: compute it again where the loss is finite")
    asymmetry = float(np.abs(matrix - matrix.T).max(initial=0.0))
    if asymmetry > 1e-6 * np.abs(matrix).max(initial=0.0):
        raise InputError(
            f"hessian is not symmetric (entries differ by up to {asymmetry:.3g}): symmetrise it first"
        )
    return 0.5 * (matrix + matrix.T)


def fits_densely(dim: int) -> None:
    """Refuse a square array that would not fit."""
    if dim > DENSE_LIMIT:
        raise InputError(
            f"{dim} weights need a {dim} x {dim} array; the limit is {DENSE_LIMIT}. "
            "Use fewer columns, or fewer rows than columns"
        )
