"""The rows for products with the curvature of a network, priced in gradients and against curvlinops.

Every contender has the same float32 weights and the same batches in memory, takes one vector and gives one
product over all rows. Before a clock is looked at each is held against backward twice in float64. curvlinops
is no dependency: where it is not installed its columns are missing, and the row says how to get it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import eigenshrink.networks as en
from benchmarks.measure import Turns, difference, ratio, take_turns
from benchmarks.records import Measured, Plan, Result, Row, Shape

Array = NDArray[np.float64]

BATCHES = 8
BLOCK = 8  # vectors at once, told beside
ACCURACY = 1e-4  # relative, of products in float32
PEER = "curvlinops"
GET = (
    "pip install --no-deps curvlinops-for-pytorch backpack-for-pytorch unfoldNd einops einconv "
    "linear_operator jaxtyping wadler-lindig opt-einsum tqdm"
)
BARS = {"ggn": (1.8, 1.2), "hessian": (1.3, 1.8)}  # at least, times a peer; at most, gradients


def mlp(shape: Shape) -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(shape.p, 256),
        nn.ReLU(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, shape.t),
    )


def cnn(shape: Shape) -> nn.Module:
    """Two convolutions, pooled by two each, and two layers behind them."""
    side = round(shape.p**0.5) // 4
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * side * side, 64),
        nn.ReLU(),
        nn.Linear(64, shape.t),
    )


MODELS: dict[str, Callable[[Shape], nn.Module]] = {"MLP": mlp, "CNN": cnn}


def ggn_products(plan: Plan, shape: Shape) -> Result:
    """Products with the Gauss-Newton matrix."""
    return compared(plan, shape, "ggn")


def hessian_products(plan: Plan, shape: Shape) -> Result:
    """Products with the Hessian."""
    return compared(plan, shape, "hessian")


def compared(plan: Plan, shape: Shape, kind: str) -> Result:
    numbers: list[Measured] = []
    told: list[str] = []
    seconds: dict[str, list[float]] = {}
    others: list[float] = []
    for name, make in MODELS.items():
        found, turns, said = one_model(plan, shape, kind, name, make)
        numbers += found
        told.append(said)
        seconds |= {f"{name}, {who}": runs for who, runs in turns.seconds.items()}
        others += [turns.others] if turns.others is not None else []
    peer = f"{PEER} {version('curvlinops-for-pytorch')}" if find_spec(PEER) else f"without {PEER} ({GET})"
    work = (
        f"{shape.n} images of {shape.p} pixels in {BATCHES} batches, {shape.t} classes, float32: one product "
        f"with the {kind} of the mean cross entropy; {'; '.join(told)}; torch {version('torch')} with "
        f"{torch.get_num_threads()} threads, {peer}"
    )
    return Result(
        f"{kind} product", work, tuple(numbers), seconds, float(np.mean(others)) if others else None
    )


def one_model(
    plan: Plan, shape: Shape, kind: str, name: str, make: Callable[[Shape], nn.Module]
) -> tuple[list[Measured], Turns, str]:
    model, data = problem(plan, shape, make)
    loss = nn.CrossEntropyLoss()
    made = en.curvature(model, loss, data, kind)
    nothing = en.curvature(model, loss, data, kind, memory=0)
    rng = np.random.default_rng(plan.seed)
    vectors = rng.standard_normal((made.dim, BLOCK))
    vector, exact = vectors[:, 0], in_float64(model, loss, data, kind, vectors[:, 0])
    contenders: dict[str, Callable[[], Any]] = {
        "gradient": lambda: gradient(model, loss, data),
        "study": lambda: made.matvec(vector),
        "study, nothing kept": lambda: nothing.matvec(vector),
        f"study, {BLOCK} vectors": lambda: made.matvec(vectors),
    }
    numbers = [Measured(f"{name}: study, difference", difference(made.matvec(vector), exact), "<=", ACCURACY)]
    if find_spec(PEER):
        operator = peer_of(model, loss, data, kind)
        single = torch.from_numpy(vector).float()
        contenders[PEER] = lambda: operator @ single
        numbers.append(Measured(f"{name}: {PEER}, error", difference((operator @ single).numpy(), exact)))
    for work in contenders.values():
        work()
    turns = take_turns(contenders, plan, 3 * plan.rounds)
    faster, gradients = BARS[kind]
    timed = [ratio(turns, PEER, "study", ">=", faster)] if PEER in contenders else []
    timed += [
        ratio(turns, "study", "gradient", "<=", gradients),
        ratio(turns, "study, nothing kept", "gradient"),
        each(ratio(turns, f"study, {BLOCK} vectors", "gradient")),
    ]
    numbers = [renamed(number, name) for number in timed] + numbers
    kept = made.found
    said = f"{name} of {made.dim} weights, {kept.kept_bytes / 1e6:.3g} MB kept for {len(kept.kept)} batches"
    return numbers, turns, said


def each(block: Measured) -> Measured:
    """The price of one vector of a block."""
    low, high = block.quartiles or (float("nan"), float("nan"))
    best = None if block.best is None else block.best / BLOCK
    what = f"study, each of {BLOCK} vectors / gradient"
    return Measured(what, block.value / BLOCK, quartiles=(low / BLOCK, high / BLOCK), best=best)


def renamed(number: Measured, name: str) -> Measured:
    return Measured(
        f"{name}: {number.what}", number.value, number.sense, number.bar, number.quartiles, number.best
    )


def problem(
    plan: Plan, shape: Shape, make: Callable[[Shape], nn.Module]
) -> tuple[nn.Module, list[tuple[Tensor, Tensor]]]:
    """A model with its first weights, and images in batches."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        side = round(shape.p**0.5)
        X, y = torch.randn(shape.n, 1, side, side), torch.randint(shape.t, (shape.n,))
        model = make(shape)
    size = -(-shape.n // BATCHES)
    return model, list(zip(X.split(size), y.split(size), strict=True))


def gradient(model: nn.Module, loss: nn.Module, data: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """As training has it: forward and backward over all batches."""
    weights = list(model.parameters())
    total = [torch.zeros_like(weight) for weight in weights]
    for X, y in data:
        for whole, part in zip(total, torch.autograd.grad(loss(model(X), y), weights), strict=True):
            whole += part
    return total


def peer_of(model: nn.Module, loss: nn.Module, data: list[tuple[Tensor, Tensor]], kind: str) -> Any:
    from curvlinops import GGNLinearOperator, HessianLinearOperator

    made = GGNLinearOperator if kind == "ggn" else HessianLinearOperator
    return made(model, loss, list(model.parameters()), data, check_deterministic=False)


def in_float64(
    model: nn.Module, loss: nn.Module, data: list[tuple[Tensor, Tensor]], kind: str, vector: Array
) -> Array:
    """One product by backward twice, whatever it costs."""
    exact = copy.deepcopy(model).double()
    weights = list(exact.parameters())
    sizes = [weight.numel() for weight in weights]
    parts = torch.from_numpy(vector).split(sizes)
    along = [part.reshape(weight.shape) for part, weight in zip(parts, weights, strict=True)]
    rows = sum(len(y) for _, y in data)
    total = torch.zeros(len(vector), dtype=torch.float64)
    for X, y in data:
        output = exact(X.double())
        value = loss(output, y) * (len(y) / rows)
        if kind == "hessian":
            slopes = torch.autograd.grad(value, weights, create_graph=True)
            found = torch.autograd.grad(slopes, weights, along)
        else:
            dual = torch.zeros_like(output, requires_grad=True)
            pulled = torch.autograd.grad(output, weights, dual, create_graph=True)
            (moved,) = torch.autograd.grad(pulled, dual, along, retain_graph=True)
            place = output.detach().requires_grad_()
            (slope,) = torch.autograd.grad(loss(place, y) * (len(y) / rows), place, create_graph=True)
            (curved,) = torch.autograd.grad(slope, place, moved)
            found = torch.autograd.grad(output, weights, curved)
        total += torch.cat([one.reshape(-1) for one in found])
    return total.numpy()


FULL, SMOKE = Shape(2048, 28 * 28, 0, 10), Shape(40, 8 * 8, 0, 3)

ROWS: dict[str, Row] = {
    "network-ggn": Row(ggn_products, FULL, SMOKE),
    "network-hessian": Row(hessian_products, FULL, SMOKE),
}
