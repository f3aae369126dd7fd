"""The rows for products with the curvature of a network: one Krylov space, and sums over all directions.

What is counted is products, which cost the same for everybody; no clock decides. Conjugate gradients are
run as well as anybody could: each strength starts from the solution of the one above, and stops at the first
product after which the true error is small enough, which nobody knows without a dense solution beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.datasets import load_digits
from torch import nn

import eigenshrink.networks as en
from benchmarks.records import Measured, Plan, Result, Row, Shape
from eigenshrink.curvature import Curvature, MatrixCurvature
from eigenshrink.fit import Fit
from eigenshrink.path import KrylovPath
from eigenshrink.path.products import Effort, Estimating, krylov_path

Array = NDArray[np.float64]

ACCURACY = 1e-6  # relative error of w̃ at every strength
DECADES = 5  # of strengths below the largest curvature
ALPHA = 1e-4  # the decay that networks here were trained with
STEPS = 400  # of full batches
EPSILON = 2.0**-52
SEEN = 10.0  # times the rounding of the exact solution
HALF = 200  # products for the path, and as many for the sums
SMALL, SMALL_ROWS = 8, 500  # hidden units and rows of the network that is solved exactly
SEEDS = 500  # of the probes, for the coverage of the interval


class Counted(Curvature):
    """Another curvature, and the number of its products."""

    def __init__(self, inner: Curvature) -> None:
        self.inner, self.products = inner, 0
        self.precision, self.positive = inner.precision, inner.positive

    @property
    def dim(self) -> int:
        return self.inner.dim

    def matvec(self, v: Array) -> Array:
        self.products += 1 if v.ndim == 1 else v.shape[1]
        return self.inner.matvec(v)


@dataclass(frozen=True)
class Exact:
    """A curvature whose eigenvectors are known, so that every solution is."""

    values: Array
    directions: Array
    fit: Fit

    @classmethod
    def of(cls, fit: Fit) -> Exact:
        values, directions = eigh(fit.curvature.dense)
        return cls(values, directions, fit)

    def weights(self, alphas: Array) -> Array:
        """``w̃(α)``, ``(a, p)``."""
        right = self.directions.T @ self.right
        return (right / (self.values + alphas[:, None])) @ self.directions.T

    @property
    def right(self) -> Array:
        """``Hw₀ − g``: the right-hand side for every strength (M5)."""
        w = self.fit.weights[:, 0]
        return self.directions @ (self.values * (self.directions.T @ w)) - self.fit.gradient[:, 0]

    def shares(self, alphas: Array) -> Array:
        """``Σ λ/(λ+α)``; what rounding has left below zero is zero."""
        values = self.values.clip(min=0.0)
        return (values / (values + alphas[:, None])).sum(axis=1)


def krylov(plan: Plan, shape: Shape) -> Result:
    """A trained network and a power law: products for all strengths, against those of conjugate gradients."""
    network, power = trained_fit(shape, plan.seed), power_law(shape.p, plan.seed)
    numbers, said = [], []
    for name, fit, bar in (("network", network, 1 / 8), ("power law", power, 1 / 4)):
        exact, counted = Exact.of(fit), Counted(fit.curvature)
        top = float(exact.values[-1])
        alphas = np.geomspace(10.0**-DECADES * top, top, shape.a)
        effort = Effort(whole=0, weakest=float(alphas[0]), accuracy=ACCURACY, products=len(exact.values))
        path = krylov_path(replace(fit, curvature=counted), effort=effort)
        ours = counted.products
        true = exact.weights(alphas)
        error = furthest(path.weights(alphas), true)
        bound = path.residual_bound(alphas) / np.linalg.norm(true, axis=1)
        theirs, told = (conjugate_gradients(exact, alphas, true, known) for known in (True, False))
        numbers += [
            Measured(f"{name}: products / those of CG that knows its error", ours / theirs, "<=", bar),
            Measured(f"{name}: products / those of CG that stops by its residual", ours / told),
            Measured(f"{name}: relative error", error, "<=", ACCURACY),
            Measured(f"{name}: bound / error, median of all α's", ratio_of(path, exact, alphas), "<=", 10.0),
            Measured(f"{name}: bound / error, where it can be seen", ratio_of(path, exact, alphas, SEEN)),
            Measured(f"{name}: largest relative bound", float(bound.max()), "<=", ACCURACY),
        ]
        said.append(f"{name} of {len(exact.values)} weights: {ours} products, CG {theirs} and {told}")
    work = f"w̃ at {shape.a} α's over {DECADES} decades to {ACCURACY:g}, float64; {'; '.join(said)}"
    return Result("krylov", work, tuple(numbers))


def effective(plan: Plan, shape: Shape) -> Result:
    """γ of a network with many weights: standard error and products; coverage on a small one."""
    start = time.perf_counter()
    fit = trained_fit(shape, plan.seed, dtype=torch.float32)
    counted = Counted(fit.curvature)
    path = krylov_path(
        replace(fit, curvature=counted), effort=Effort(whole=0, weakest=ALPHA / 100, products=HALF)
    )
    spent = counted.products
    top = path.spectrum.eigenvalues[0]
    found = path.effective_estimate(np.geomspace(ALPHA / 100, 10 * top, shape.a))
    seconds = time.perf_counter() - start
    inside, worst = coverage(shape, plan.seed)
    numbers = (
        Measured("largest standard error / γ", float((found.standard_error / found.value).max()), "<=", 0.02),
        Measured("products of the path and of the sums", counted.products, "<=", 400),
        Measured("coverage of the 95 % interval, all α's", inside, ">=", 0.93),
        Measured("coverage of the 95 % interval, the worst α", worst),
    )
    work = (
        f"γ at {shape.a} α's, network of {counted.dim} weights, {shape.n} rows, float32: {spent} products "
        f"for the path and {path.sums.products} for the sums, {seconds:.3g} s with training; coverage: "
        f"{shape.t} seeds of the probes of a small network that is solved exactly"
    )
    return Result("network γ", work, numbers)


def coverage(shape: Shape, seed: int) -> tuple[float, float]:
    """Share of seeds whose interval holds the exact γ, over all strengths and at the worst one."""
    fit = trained_fit(replace(shape, n=min(shape.n, SMALL_ROWS), p=SMALL), seed)
    exact = Exact.of(fit)
    dense = replace(fit, curvature=MatrixCurvature(fit.curvature.dense))
    alphas = np.geomspace(ALPHA / 100, 10 * exact.values[-1], shape.a)
    effort = Effort(whole=0, weakest=float(alphas[0]))
    make, true, inside = krylov_path(dense, effort=effort).make_sums, exact.shares(alphas), []
    assert isinstance(make, Estimating)
    for draw in range(shape.t):
        found = replace(make, effort=replace(effort, seed=draw))().shares(alphas)
        inside.append((found.low <= true) & (true <= found.high))
    each = np.mean(inside, axis=0)
    return float(each.mean()), float(each.min())


def trained_fit(shape: Shape, seed: int, dtype: Any = torch.float64) -> Fit:
    """A perceptron of ``p`` hidden units on the digits, trained by full batches with decay."""
    torch.manual_seed(seed)
    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.target))[: shape.n]
    X, y = torch.tensor(data.data[order] / 16.0, dtype=dtype), torch.tensor(data.target[order])
    second = max(10, shape.p * 5 // 8)
    model = nn.Sequential(
        nn.Linear(64, shape.p), nn.Tanh(), nn.Linear(shape.p, second), nn.Tanh(), nn.Linear(second, 10)
    ).to(dtype)
    loss, steps = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=ALPHA)
    for _ in range(STEPS):
        steps.zero_grad()
        loss(model(X), y).backward()
        steps.step()
    steps.zero_grad()
    loss(model(X), y).backward()
    weights, gradient = (
        torch.cat([part.detach().reshape(-1).double() for part in parts]).numpy()
        for parts in (model.parameters(), [each.grad for each in model.parameters()])
    )
    return fit_of(weights, gradient, en.curvature(model, loss, (X, y)), ALPHA)


def power_law(p: int, seed: int) -> Fit:
    """``λ_i = i^-1.5``: the spectrum that is said of networks, its directions random."""
    rng = np.random.default_rng(seed)
    size = max(200, 10 * p)
    Q = np.linalg.qr(rng.normal(size=(size, size)))[0]
    H = (Q * np.arange(1.0, size + 1) ** -1.5) @ Q.T
    H = 0.5 * (H + H.T)
    target = H @ rng.normal(size=size)
    w = np.linalg.solve(H + ALPHA * np.eye(size), target)
    return fit_of(w, H @ w - target, MatrixCurvature(H), ALPHA)


def fit_of(weights: Array, gradient: Array, curvature: Curvature, alpha: float) -> Fit:
    p = len(weights)
    return Fit(weights[:, None], gradient[:, None], alpha, curvature, np.ones(p), np.ones(p, dtype=bool))


def conjugate_gradients(exact: Exact, alphas: Array, true: Array, known: bool) -> int:
    """Products for all strengths, strongest first; stops by the true error, or by ``‖r‖ ≤ ε α ‖x‖``."""
    H, x, spent = exact.fit.curvature.dense, np.zeros(len(exact.values)), 0
    for alpha, target in zip(alphas[::-1], true[::-1], strict=True):
        rest = exact.right - H @ x - alpha * x
        ahead, size, spent = rest.copy(), float(rest @ rest), spent + 1
        for _ in range(20 * len(x)):
            apart = np.linalg.norm(x - target) if known else np.sqrt(size) / alpha
            if apart <= ACCURACY * np.linalg.norm(target if known else x):
                break
            turned, spent = H @ ahead + alpha * ahead, spent + 1
            step = size / float(ahead @ turned)
            x, rest = x + step * ahead, rest - step * turned
            now = float(rest @ rest)
            ahead, size = rest + now / size * ahead, now
        else:
            raise RuntimeError(f"conjugate gradients do not end at alpha = {alpha:.3g}")
    return spent


def furthest(ours: Array, exact: Array) -> float:
    """Largest relative error of all strengths."""
    apart, length = (np.linalg.norm(W, axis=1) for W in (ours - exact, exact))
    return float((apart / length).max())


def ratio_of(path: KrylovPath, exact: Exact, alphas: Array, seen_from: float = 0.0) -> float:
    """Median of bound over error, of strengths whose error is so many times the rounding of the solution."""
    true = exact.weights(alphas)
    apart, length = (np.linalg.norm(W, axis=1) for W in (path.weights(alphas) - true, true))
    seen = apart >= seen_from * EPSILON * exact.values[-1] / alphas * length
    return float(np.median(path.residual_bound(alphas)[seen] / apart[seen])) if seen.any() else 1.0


ROWS = {
    "krylov": Row(krylov, full=Shape(n=1000, p=24, a=20), smoke=Shape(n=100, p=4, a=6)),
    "network-effective": Row(
        effective, full=Shape(n=1797, p=512, a=100, t=SEEDS), smoke=Shape(n=60, p=8, a=10, t=2)
    ),
}
