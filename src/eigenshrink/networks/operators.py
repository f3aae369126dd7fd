"""Anybody's curvature of a network: arrays, scipy operators, operators that multiply torch tensors (M19)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import issparse
from torch import Tensor

from eigenshrink.curvature import Curvature, as_curvature
from eigenshrink.errors import InputError
from eigenshrink.networks.parameters import Parameters

Array = NDArray[np.float64]

WANTED = (
    "give 'ggn', 'hessian', an array, a scipy LinearOperator, an operator with to_scipy(), "
    "one that multiplies torch tensors by @, or a function of such a tensor"
)
SYMMETRIC = 1e-3  # relative difference of uᵀHv and vᵀHu that rounding may leave


class OperatorProducts(Curvature):
    """H of the mean loss, from somebody else's products.

    Parameters
    ----------
    product : callable
        From ``(p, m)`` to ``(p, m)``, numpy arrays.
    dim : int
        p.
    """

    def __init__(self, product: Callable[[Array], Any], dim: int) -> None:
        self._product = product
        self._dim = dim
        self.products = 0

    @property
    def dim(self) -> int:
        """p: number of weights."""
        return self._dim

    def matvec(self, v: Array) -> Array:
        """``H v`` for v of shape ``(p,)`` or ``(p, m)``."""
        V = np.asarray(v, dtype=np.float64)
        columns = V.reshape(self.dim, -1)
        if not columns.shape[1]:
            return np.zeros(V.shape)
        product = np.asarray(self._product(columns), dtype=np.float64)
        if product.size != columns.size:
            raise InputError(
                f"curvature must give {columns.shape} for vectors of that shape; got shape {product.shape}"
            )
        self.products += columns.shape[1]
        return product.reshape(V.shape)


def adapt(operator: Any, parameters: Parameters) -> Curvature:
    """Take somebody's curvature of the **mean** loss without penalty, in the order of the flat weights.

    Parameters
    ----------
    operator : array, Tensor, sparse matrix, operator or callable
        ``(p, p)``, symmetric. What has ``to_scipy()`` or ``matvec`` is given numpy arrays; what has ``@`` or
        can be called is given torch tensors ``(p, 1)`` or ``(p,)``.
    parameters : Parameters
        Of the model: they say p, the type and the device of such tensors.

    Raises
    ------
    InputError
        If it is nothing of the kind, has another size, or is not finite and symmetric on random vectors.
    """
    if isinstance(operator, Tensor):
        operator = operator.detach().cpu().to(torch.float64).numpy()
    if isinstance(operator, str):
        raise InputError(f"curvature is {operator!r}; {WANTED}")
    _sized(operator, parameters)
    if isinstance(operator, Curvature):
        return operator
    if isinstance(operator, np.ndarray) or issparse(operator):
        return as_curvature(operator)
    found = OperatorProducts(_product_of(operator, parameters), parameters.dim)
    _symmetric(found)
    found.products = 0
    return found


def _sized(operator: Any, parameters: Parameters) -> None:
    shape = getattr(operator, "shape", None)
    p = parameters.dim
    if shape is not None and tuple(shape) != (p, p):
        raise InputError(
            f"curvature has shape {tuple(shape)}; for the {p} trainable weights it must be ({p}, {p})"
        )


def _product_of(operator: Any, parameters: Parameters) -> Callable[[Array], Any]:
    """Its product with ``(p, m)``."""
    if callable(getattr(operator, "to_scipy", None)):
        operator = operator.to_scipy()
    if callable(getattr(operator, "matmat", None)):
        return lambda columns: operator.matmat(columns)
    if callable(getattr(operator, "matvec", None)):
        return lambda columns: np.stack([np.ravel(operator.matvec(v)) for v in columns.T], axis=1)
    if hasattr(operator, "__matmul__"):
        return lambda columns: _numbers(operator @ _tensor(columns, parameters))
    if callable(operator):
        return lambda columns: np.stack(
            [np.ravel(_numbers(operator(_tensor(v, parameters)))) for v in columns.T], axis=1
        )
    raise InputError(f"curvature is a {type(operator).__name__}; {WANTED}")


def _tensor(columns: Array, parameters: Parameters) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(columns)).to(parameters.device, parameters.dtype)


def _numbers(product: Any) -> Array:
    if not isinstance(product, Tensor):
        raise InputError(
            f"curvature gives a {type(product).__name__} for a torch tensor; it must give a tensor"
        )
    return product.detach().cpu().to(torch.float64).numpy()


def _symmetric(curvature: OperatorProducts) -> None:
    vectors = np.random.default_rng(0).standard_normal((curvature.dim, 2))
    products = curvature.matvec(vectors)
    if not np.isfinite(products).all():
        raise InputError("curvature gives NaN or infinity: compute it where the loss is finite")
    crossed = vectors.T @ products
    apart, size = abs(crossed[0, 1] - crossed[1, 0]), float(np.abs(crossed).max())
    if apart > SYMMETRIC * size:
        raise InputError(
            f"curvature is not symmetric: uᵀHv and vᵀHu differ by {apart / size:.1g} of uᵀHu for random "
            "vectors; is it deterministic (evaluation mode), and the second derivative of a loss?"
        )
