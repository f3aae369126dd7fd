"""Train a network until nothing moves: Adam on all rows, then L-BFGS in steps scaled by the curvature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

import eigenshrink.networks as en
from benchmarks.retraining.models import Case, Rows

Array = NDArray[np.float64]

WARM_UP = 600  # steps of Adam
ITERATIONS = 200  # of L-BFGS between two curvatures
FLOOR = 1e-9  # of the curvature, where a weight is neither penalised nor curved
AT_REST = 1e-9  # what a Newton step would still gain, relative to the objective
STILL = 3e-7  # relative fall of the objective in a whole round
KICK = 0.01  # relative noise that leaves a saddle, as minibatches would


@dataclass(frozen=True, eq=False)
class Problem:
    """Mean cross entropy of a network on some rows, as a function of its flat weights ``(p,)``."""

    model: nn.Module
    rows: Rows
    factor: Array

    @classmethod
    def of(cls, case: Case, rows: Rows, seed: int = 0) -> Problem:
        """The network of a case before training, and d of its weights."""
        model = case.made(seed)
        penalised = [float(not name.endswith(case.free or "\n")) for name, _ in model.named_parameters()]
        sizes = [weight.numel() for weight in model.parameters()]
        return cls(model, rows, np.repeat(penalised, sizes))

    @property
    def weights(self) -> Array:
        """Those that the model holds."""
        flat: Array = nn.utils.parameters_to_vector(self.model.parameters()).detach().numpy().copy()
        return flat

    def write(self, weights: Array) -> nn.Module:
        """The model with other weights."""
        nn.utils.vector_to_parameters(torch.from_numpy(weights.copy()), self.model.parameters())
        return self.model

    def loss(self, weights: Array, rows: Rows) -> float:
        with torch.no_grad():
            return nn.functional.cross_entropy(
                self._scores(torch.from_numpy(weights), rows), rows.digits
            ).item()

    def gradient(self, weights: Array) -> tuple[float, Array]:
        """``L`` and ``∇L``."""
        flat = torch.from_numpy(weights).requires_grad_(True)
        loss = nn.functional.cross_entropy(self._scores(flat, self.rows), self.rows.digits)
        (slope,) = torch.autograd.grad(loss, flat)
        return loss.item(), slope.numpy()

    def gauss_newton(self, weights: Array) -> Array:
        """``(1/n) Σ Jᵀ(diag π − ππᵀ)J`` from the Jacobian of each row, ``(p, p)``."""
        flat = torch.from_numpy(weights)

        def scores(flat: Tensor, picture: Tensor) -> Tensor:
            return self._scores(flat, Rows(picture[None], self.rows.digits))[0]

        total = np.zeros((len(weights), len(weights)))
        for pictures in self.rows.pictures.split(100):
            J = vmap(jacrev(scores), (None, 0))(flat, pictures)
            share = vmap(scores, (None, 0))(flat, pictures).softmax(dim=1)[..., None]
            half = share.sqrt() * (J - (share * J).sum(dim=1, keepdim=True))
            rows = half.reshape(-1, len(weights)).numpy()
            total += rows.T @ rows
        return total / len(self.rows)

    def _scores(self, flat: Tensor, rows: Rows) -> Tensor:
        parts = flat.split([weight.numel() for weight in self.model.parameters()])
        named = zip(parts, self.model.named_parameters(), strict=True)
        with sdpa_kernel(SDPBackend.MATH):
            found: Tensor = functional_call(
                self.model, {name: part.view_as(w) for part, (name, w) in named}, rows.pictures
            )
        return found


@dataclass(frozen=True)
class Trained:
    """Where a training stopped; ``gain``: what a Newton step would still gain, relative to the objective."""

    weights: Array
    objective: float
    gain: float


def train(case: Case, problem: Problem, alpha: float, seed: int = 0) -> Trained:
    """From the beginning: Adam, then to rest; once more from weights that noise has moved."""
    warm_up(case, problem.model, problem.rows, alpha)
    first = settle(problem, problem.weights, alpha, rounds=40)
    noise = np.random.default_rng(seed).normal(size=len(first.weights))
    size = KICK * np.linalg.norm(first.weights) / np.linalg.norm(noise)
    return min(first, settle(problem, first.weights + size * noise, alpha, 40), key=lambda one: one.objective)


def warm_up(case: Case, model: nn.Module, rows: Rows, alpha: float) -> None:
    """Adam on all rows with the penalty in its gradients, its rate falling to zero."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, WARM_UP)
    with en.L2Hook(optimizer, alpha, case.free, model=model):
        for _ in range(WARM_UP):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(rows.pictures), rows.digits).backward()
            optimizer.step()
            schedule.step()


def settle(problem: Problem, start: Array, alpha: float, rounds: int = 14) -> Trained:
    """Minimise ``L + Ω_α`` from ``start`` until a Newton step or a whole round gains nothing."""
    weights, before = start, np.inf
    for _ in range(rounds):
        objective, at = scaled(problem, weights, alpha)
        value, slope = objective(np.zeros(len(weights)))
        gain = 0.5 * float(slope @ slope) / value
        if gain <= AT_REST or before - value <= STILL * value:
            break
        before = value
        options = {"maxiter": ITERATIONS, "maxfun": 5 * ITERATIONS, "maxcor": 50, "gtol": 0.0, "ftol": 0.0}
        found = minimize(objective, np.zeros(len(weights)), jac=True, method="L-BFGS-B", options=options)
        weights = at(found.x)
    return Trained(weights, value, gain)


def scaled(
    problem: Problem, origin: Array, alpha: float
) -> tuple[Callable[[Array], tuple[float, Array]], Callable[[Array], Array]]:
    """``L̃_α`` and its gradient in coordinates in which ``G + αD`` is the identity, and the way back."""
    pull = alpha * problem.factor
    matrix = problem.gauss_newton(origin) + np.diag(pull)
    root = cholesky(matrix + FLOOR * np.trace(matrix) * np.eye(len(matrix)), lower=True)

    def at(place: Array) -> Array:
        moved: Array = solve_triangular(root, place, lower=True, trans=1)
        return origin + moved

    def objective(place: Array) -> tuple[float, Array]:
        weights = at(place)
        loss, gradient = problem.gradient(weights)
        slope = solve_triangular(root, gradient + pull * weights, lower=True)
        return loss + 0.5 * float(weights @ (pull * weights)), slope

    return objective, at
