"""One draw: a grid of full trainings, continuation without steering, and ``en.tune``, of the same start."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

import eigenshrink.networks as en
from benchmarks.tuning.problems import Problem, Rows, Trainer, loss_of

GRID = np.geomspace(1e-5, 1e-1, 9)
STEP = 0.2  # of a full training, at each strength of the grid, one after the other
WAYS = ("tune", "up", "down")


def draw(problem: Problem, seed: int, epochs: int = 60) -> Mapping[str, float]:
    """Test losses in units of the grid's, gradient evaluations in units of the grid's, strengths."""
    torch.set_num_threads(1)
    rows, start = Rows.drawn(seed, problem.wrong), problem.model(seed)
    trainer = Trainer(rows.train, problem.rate, epochs)
    with torch.random.fork_rng(devices=[]):
        best, test = grid(start, trainer, rows, seed)
        cost, values = trainer.gradients, {"test grid": test, "alpha grid": best}
        for way, strengths in (("up", GRID), ("down", GRID[::-1])):
            values[f"test {way}"] = continued(copy.deepcopy(start), trainer, rows, strengths) / test
            values[f"cost {way}"] = STEP
    trainer.gradients = 0
    model = copy.deepcopy(start)
    found = en.tune(trainer, model, nn.CrossEntropyLoss(), rows.train, rows.judge, seed=seed)
    steering = sum(one.steering for one in found.evaluations)
    values |= {
        "test tune": loss_of(model, rows.test) / test,
        "cost tune": (trainer.gradients + steering) / cost,
        "alpha tune": found.alpha,
    }
    return values


def grid(start: nn.Module, trainer: Trainer, rows: Rows, seed: int) -> tuple[float, float]:
    """Best strength by validation, and its test loss."""
    each = []
    for alpha in GRID:
        model = copy.deepcopy(start)
        torch.manual_seed(seed)
        trainer(model, float(alpha), 1.0)
        each.append((loss_of(model, rows.judge), float(alpha), loss_of(model, rows.test)))
    return min(each)[1:]


def continued(model: nn.Module, trainer: Trainer, rows: Rows, strengths: np.ndarray) -> float:
    """Half decade after half decade, each from the last weights; test loss of the best by validation."""
    each = []
    for alpha in strengths:
        trainer(model, float(alpha), STEP)
        each.append((loss_of(model, rows.judge), loss_of(model, rows.test)))
    return min(each)[1]
