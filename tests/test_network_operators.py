"""Anybody's curvature of a network is taken as it is, if it belongs to the model and is one."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import curvature_oracles as oracles
import network_models as models
from eigenshrink.errors import InputError
from eigenshrink.networks.operators import adapt
from eigenshrink.networks.parameters import Parameters


@functools.cache
def known():
    case = models.regression(2)
    return Parameters.of(case.model), oracles.ggn(case.model, case.loss, case.X, case.y)


class OfTorch:
    """As curvlinops has them: a shape, and ``@`` for tensors."""

    def __init__(self, matrix):
        self.matrix = torch.from_numpy(matrix)
        self.shape = self.matrix.shape

    def __matmul__(self, vectors):
        return self.matrix.to(vectors.dtype) @ vectors


class ToScipy(OfTorch):
    def to_scipy(self):
        return aslinearoperator(self.matrix.numpy())

    def __matmul__(self, vectors):
        raise AssertionError("numpy arrays are given to what scipy knows")


class VectorsOnly:
    """Not a class of scipy; has a product of one vector."""

    def __init__(self, matrix):
        self.matrix, self.shape = matrix, matrix.shape

    def matvec(self, v):
        return (self.matrix @ v)[:, None]


KINDS = {
    "array": lambda H: H,
    "tensor": torch.from_numpy,
    "sparse": csr_matrix,
    "scipy": aslinearoperator,
    "vectors only": VectorsOnly,
    "torch": OfTorch,
    "to_scipy": ToScipy,
    "function": lambda H: lambda v: torch.from_numpy(H) @ v,
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_operators_of_every_kind(kind):
    parameters, H = known()
    made = adapt(KINDS[kind](H), parameters)
    vectors = np.random.default_rng(0).standard_normal((len(H), 3))
    assert made.dim == parameters.dim == len(H)
    np.testing.assert_allclose(made.matvec(vectors), H @ vectors, rtol=0, atol=1e-13)
    np.testing.assert_allclose(made.matvec(vectors[:, 0]), H @ vectors[:, 0], rtol=0, atol=1e-13)
    np.testing.assert_allclose(made.dense, H, rtol=0, atol=1e-13)
    assert adapt(made, parameters) is made


def test_products_are_counted_from_the_first_that_is_asked_for():
    parameters, H = known()
    made = adapt(OfTorch(H), parameters)
    assert made.products == 0
    made.matvec(np.ones((len(H), 2)))
    assert made.products == 2
    assert made.matvec(np.ones((len(H), 0))).shape == (len(H), 0)


def crooked(H):
    bent = H.copy()
    bent[0] *= 2
    return OfTorch(bent)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda H: H[:5, :5], r"shape \(5, 5\); .* 50 trainable weights"),
        (lambda H: aslinearoperator(H[:, :5]), r"shape \(50, 5\)"),
        (lambda H: torch.from_numpy(H[0]), r"shape \(50,\)"),
        (lambda H: "fisher", "'fisher'; give 'ggn', 'hessian'"),
        (lambda H: 3.0, "is a float"),
        (lambda H: H.tolist(), "is a list"),
        (lambda H: crooked(H), "not symmetric"),
        (lambda H: OfTorch(H * np.nan), "NaN or infinity"),
        (lambda H: lambda v: v.numpy(), "gives a ndarray for a torch tensor"),
        (lambda H: lambda v: v[:5], r"must give \(50, 2\)"),
        (lambda H: LinearOperator(H.shape, matvec=lambda v: v + np.inf, dtype=float), "NaN or infinity"),
    ],
)
def test_what_is_no_curvature_of_the_model(make, message):
    parameters, H = known()
    with pytest.raises(InputError, match=message):
        adapt(make(H), parameters)
