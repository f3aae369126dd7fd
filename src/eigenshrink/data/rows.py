"""Rows that are weighted and centred on the fly: ``Z = diag(√s)(X − 1μᵀ)`` is never formed whole.

Everything that touches the data goes through the six methods of :class:`Rows`. A new kind of storage
is one subclass that yields blocks; the products have slow general forms that it may replace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BLOCK = 1 << 17  # numbers in one block, 1 MiB: it stays in the cache while it is used
SAFE_SHARE = 1e-2  # centring by subtraction keeps all but two digits while var ≥ this · mean square


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a design matrix, weighted by ``√s`` and centred at ``mean`` (zero: not centred).

    Attributes
    ----------
    X : (n, p)
        As the user gave it, never changed.
    root : (n,) or None
        ``√s``; None where every weight is one.
    mean : (p,)
        ``μ``: weighted means of the columns, or zeros without an intercept.
    drift : (p,) or None
        What is left of the mean after ``X − μ`` because μ is rounded; None: not taken off.
    """

    X: NDArray[np.floating]
    root: Array | None
    mean: Array
    drift: Array | None = field(default=None, kw_only=True)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns p."""
        n, p = self.X.shape
        return int(n), int(p)

    def take(self, picked: NDArray[np.intp]) -> Rows:
        """Rows at the picked indices, centred as before."""
        return replace(self, X=self.X[picked], root=None if self.root is None else self.root[picked])

    def weigh(self, values: Array, rows: slice | NDArray[np.intp]) -> Array:
        """Multiply rows of a block that may be overwritten by ``√s``, shape kept."""
        if self.root is not None:
            values *= self.root[rows, None]
        return values

    def targets(
        self, y: NDArray[np.floating], mean: Array, rows: slice | NDArray[np.intp] = slice(None)
    ) -> Array:
        """Rows of the targets, centred and weighted like Z, ``(b, t)``."""
        return self.weigh(np.subtract(y[rows], mean, dtype=np.float64), rows)

    def recentred(self) -> Rows:
        """The same rows with the rounding of μ taken off too: one pass.

        A mean of 10³ spreads is rounded to 10⁻¹³ spreads: too little to matter for a Gram matrix, but
        enough to look like one more direction where rank is decided.
        """
        if not np.any(self.mean):
            return self
        total, weight_sum = np.zeros(self.shape[1]), 0.0
        for rows, block in self.blocks():
            root = np.ones(len(block)) if self.root is None else self.root[rows]
            total += root @ block
            weight_sum += float(root @ root)
        return replace(self, drift=total / weight_sum)

    def shift(self, block: Array, picked: slice | NDArray[np.intp] = slice(None)) -> Array:
        """Centre a block of columns that may be overwritten."""
        block -= self.mean[picked]
        if self.drift is not None:
            block -= self.drift[picked]
        return block

    def blocks(self, width: int = 0) -> Iterator[tuple[slice, Array]]:
        """Row blocks of Z, ``(b, p)`` each; ``width`` columns are used beside them."""
        n, p = self.shape
        for rows in slices(n, BLOCK // max(p, width, 1)):
            yield rows, self.weigh(self.shift(self.X[rows].astype(np.float64)), rows)

    def columns(self, picked: NDArray[np.intp]) -> Iterator[tuple[slice, Array]]:
        """Blocks ``(n, b)`` of the picked columns of Z, with their places in ``picked``."""
        n = self.shape[0]
        together = len(picked) > 0 and picked[-1] - picked[0] == len(picked) - 1
        for places in slices(len(picked), max(n, 64)):
            chosen: slice | NDArray[np.intp] = picked[places]
            if together:  # a slice is read in place, a list of indices is gathered first
                chosen = slice(int(picked[0]) + places.start, int(picked[0]) + places.stop)
            block = self.shift(self.X[:, chosen].astype(np.float64), chosen)
            yield places, self.weigh(block, slice(None))

    def times(self, T: Array, beside: int = 0) -> Iterator[tuple[slice, Array]]:
        """Row blocks of ``Z T``, ``(b, m)`` each, for T of shape (p, m); ``beside`` columns go with them."""
        if self._centred_later:
            shift = self.mean @ T
            for rows in slices(len(self.X), BLOCK // max(*T.shape, beside, 1)):
                block = self.X[rows] @ T
                block -= shift
                yield rows, block
            return
        for rows, block in self.blocks(max(T.shape[1], beside)):
            yield rows, block @ T

    def gradient(self, W: Array, slope: Callable[[slice, Array], Array]) -> Array:
        """``Zᵀ slope(rows, Z W)``, ``(p, m)``, in one pass; no array with n rows is held."""
        total = np.zeros(W.shape)
        for rows, block in self.blocks(W.shape[1]):
            total += block.T @ slope(rows, block @ W)
        return total

    def transpose_times(self, U: Array) -> Array:
        """``Zᵀ U``, ``(p, m)``."""
        if self._centred_later:
            return self.back(U)
        total = np.empty((self.shape[1], U.shape[1]))
        for places, block in self.columns(np.arange(self.shape[1])):
            total[places] = block.T @ U
        return total

    def cross(self, y: NDArray[np.floating], mean: Array) -> Array:
        """``Zᵀ Y`` with Y centred and weighted alike, ``(p, t)``: one pass over the rows."""
        total = np.zeros((self.shape[1], y.shape[1]))
        if self._centred_later:
            for rows in slices(len(self.X), BLOCK // y.shape[1]):
                total += self.X[rows].T @ self.targets(y, mean, rows)
            return total
        for rows, block in self.blocks(y.shape[1]):
            total += block.T @ self.targets(y, mean, rows)
        return total

    def squares(self) -> Array:
        """Column sums of squares of Z, ``(p,)``."""
        if self._centred_later:
            raw = np.einsum("ij,ij->j", self.X, self.X)
            total: Array = raw - self.shape[0] * self.mean**2
            if np.all(total >= SAFE_SHARE * raw):
                return total
        total = np.zeros(self.shape[1])
        for places, block in self.columns(np.arange(self.shape[1])):
            total[places] = np.einsum("ij,ij->j", block, block)
        return total

    def gram(self) -> Array:
        """``ZᵀZ``, ``(p, p)``: one pass; shifted before squaring wherever the mean is not small.

        ``XᵀX − nμμᵀ`` loses all digits when a mean is 10⁷ times the spread, so that short way is
        taken only where it costs at most two digits.
        """
        if self._centred_later:
            total = self.X.T @ self.X
            raw = np.diag(total).copy()
            total -= self.shape[0] * np.outer(self.mean, self.mean)
            if np.all(np.diag(total) >= SAFE_SHARE * raw):
                return total
        total = np.zeros((self.shape[1], self.shape[1]))
        for _, block in self.blocks():
            total += block.T @ block
        return total

    def back(self, U: Array) -> Array:
        """``Zᵀ U``, ``(p, m)``, whatever the rows are centred at: one pass over blocks of rows."""
        if self._centred_later:
            product: Array = self.X.T @ U
            if np.any(self.mean):
                product -= self.mean[:, None] * U.sum(axis=0)
            return product
        total = np.zeros((self.shape[1], U.shape[1]))
        for rows, block in self.blocks(U.shape[1]):
            total += block.T @ U[rows]
        return total

    def weighted_grams(self, weights: Array) -> Array:
        """``Zᵀ diag(v) Z``, ``(l, p, p)``, for v ``(n, l)`` of any sign, whatever the rows are centred at."""
        p, count = self.shape[1], weights.shape[1]
        if count == 1 and np.all(weights >= 0):
            root, total = np.sqrt(weights), np.zeros((p, p))
            for rows, block in self.blocks():
                block *= root[rows]
                total += block.T @ block
            return total[None]
        together = np.zeros((p, count, p))  # one large product is kinder to threads than many small ones
        for rows, block in self.blocks(4 * max(1, count * p // 64)):
            each = np.multiply(weights[rows, :, None], block[:, None, :], order="C").reshape(len(block), -1)
            together += (block.T @ each).reshape(together.shape)
        return together.transpose(1, 0, 2)

    def kernel(self, picked: NDArray[np.intp], scale: Array) -> Array:
        """``Z_P diag(scale²) Z_Pᵀ`` over the picked columns, ``(n, n)``."""
        n = self.shape[0]
        if self._centred_later and len(picked) == self.shape[1] and np.all(scale == 1.0):
            total = self.X @ self.X.T
            raw = np.diag(total).copy()
            along = self.X @ self.mean - 0.5 * float(self.mean @ self.mean)
            total -= along[:, None]
            total -= along
            if np.all(np.diag(total) >= SAFE_SHARE * raw):
                return total
        total = np.zeros((n, n))
        for places, block in self.columns(picked):
            block *= scale[places]
            total += block @ block.T
        return total

    @cached_property
    def _centred_later(self) -> bool:
        """No weights, and means no larger than a few spreads: products may be centred afterwards."""
        if self.root is not None or self.X.dtype != np.float64 or self.drift is not None:
            return False
        head = self.X[: max(64, BLOCK // max(1, self.shape[1]))]
        with np.errstate(over="ignore", invalid="ignore"):
            square = np.einsum("ij,ij->j", head, head) / len(head)
            spread = square - head.mean(axis=0) ** 2
        return bool(np.all(spread >= SAFE_SHARE * square))


def slices(total: int, size: int) -> Iterator[slice]:
    """Cut ``range(total)`` into slices of at most ``size``."""
    step = max(1, size)
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))
