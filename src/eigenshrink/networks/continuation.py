"""Find a strength by training on: each time from the last weights, where the hypergradient leads (M13).

What was tried and measured stands in docs/networks.md; ``python -m benchmarks.tune`` measures it again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from eigenshrink.errors import InputError
from eigenshrink.networks.declared import network_of
from eigenshrink.networks.diary import Diary
from eigenshrink.networks.exclude import Exclude, excluded
from eigenshrink.networks.parameters import Parameters
from eigenshrink.networks.search import Search, Task, Train
from eigenshrink.networks.tuning import Evaluation, Tuning
from eigenshrink.penalty import one_strength

BUDGET = 1.8  # full trainings: a fifth of a grid of nine


def tune(
    train: Train,
    model: nn.Module,
    loss: Any,
    loader: Any,
    val_loader: Any,
    *,
    alpha: float = 1e-3,
    budget: float = BUDGET,
    exclude: Exclude = (),
    record: str | Path | None = None,
    epochs: float | None = None,
    seed: int = 0,
    progress: Callable[[Evaluation], Any] | None = None,
) -> Tuning:
    """Find the strength of lowest validation loss for less than two trainings, with your own training.

    The first training, a third of the budget, starts at ``alpha``. Then, three times at most: the validation
    loss is measured along the predicted path ``w̃(α)`` (M5) to the side to which the hypergradient
    ``dV/d log α = −α ∇V(w₀)ᵀ(H + αD)⁻¹Dw₀`` points (M13); the next training starts from the predicted
    weights that judge best, at a strength twice as far. The last one takes what is left of the budget.
    The model ends with the weights of lowest validation loss.

    Parameters
    ----------
    train : callable
        ``train(model, alpha, effort)`` trains the model in place, from its present weights, with
        ``weight_decay = alpha`` and about ``effort`` times the gradient evaluations of a full training,
        ``0 < effort <= 1``: 0.25 of the epochs, each call with a learning rate schedule of its own. What it
        returns is ignored, unless it is a loss that is not finite: the training has diverged, as it has
        where weights are not finite or ArithmeticError is raised.
    model : torch.nn.Module
    loss : callable
        As for :func:`study`; the mean that the penalty is added to.
    loader : DataLoader, list of batches, or (inputs, targets)
        The rows that it is trained on, without augmentation: the curvature is taken from some of them.
    val_loader : as loader
        Rows that judge. Those that chose cannot say how good the choice is: keep others for that.
    alpha : float, > 0
        To start from, house units: the ``weight_decay`` of SGD.
    budget : float, >= 0.5
        Full trainings, everything included.
    exclude : "bias", "norm", name, class of modules, parameter, or several of these
        What ``train`` does not penalise.
    record : path, optional
        JSON file that is written after each evaluation, weights beside it. Where it exists the search goes
        on from it, and ends as it would have.
    epochs : float, optional
        Passes over the data of a full training; None: counted, row by row, as the model is called.
    seed : int
        Each training gets random numbers of its own from it (PyTorch, Python, generators of ``loader``);
        a training that draws from others must seed them itself to go on the same.
    progress : callable, optional
        Called with each :class:`Evaluation`.

    Returns
    -------
    Tuning

    Raises
    ------
    InputError
        If an argument cannot be used, ``train`` does not train, or the record is of another search.
    NotConverged
        If the first training diverges, also at a tenth of the strength.

    Notes
    -----
    A training that diverges later is taken back: the best weights are restored, and the strength goes half
    way. AdamW minimises no L̃_α, so that the predicted path is not its own (M3).

    Examples
    --------
    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> X = torch.randn(60, 20, dtype=torch.float64)
    >>> y = X[:, :1] + torch.randn(60, 1, dtype=torch.float64)
    >>> model, loss = nn.Linear(20, 1, dtype=torch.float64), nn.MSELoss()
    >>> def train(model, alpha, effort):
    ...     optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=alpha)
    ...     for _ in range(int(200 * effort)):
    ...         optimizer.zero_grad()
    ...         loss(model(X[:40]), y[:40]).backward()
    ...         optimizer.step()
    >>> found = tune(train, model, loss, (X[:40], y[:40]), (X[40:], y[40:]), alpha=1e-3)
    >>> found.spent <= 1.8
    True
    """
    network = network_of(model, loss, loader)
    data, judging = network.batches(loader), network.batches(val_loader)
    task = Task(
        train=_callable(train),
        model=model,
        network=network,
        data=data,
        judging=judging,
        rows=sum(batch.rows for batch in data),
        judges=sum(batch.rows for batch in judging),
        factor=_factor(network.parameters, model, exclude),
        alpha=_between("alpha", one_strength(alpha), 0.0, "strength to start from, such as 1e-3"),
        budget=_between("budget", budget, 0.5, "number of full trainings, such as 1.8"),
        epochs=None if epochs is None else _between("epochs", epochs, 0.0, "number of passes over the data"),
        seed=seed,
    )
    search = Search(task, Diary(None if record is None else Path(record), _asked(task)))
    while search.effort > 0:
        one = search.evaluate()
        if progress is not None:
            progress(one)
    return search.result()


def _callable(train: Any) -> Train:
    if not callable(train):
        raise InputError(f"train is {type(train).__name__}; give a function train(model, alpha, effort)")
    found: Train = train
    return found


def _between(name: str, value: Any, least: float, what: str) -> float:
    good = isinstance(value, int | float | np.number) and np.isfinite(value) and value >= least
    if not good or not value > 0:
        raise InputError(f"{name} is {value!r}; give a {what}, and at least {least:g}")
    return float(value)


def _factor(parameters: Parameters, model: nn.Module, exclude: Exclude) -> NDArray[np.float64]:
    """d: 1, or 0 where nothing is penalised, ``(p,)``."""
    outside = excluded(exclude, model)
    each = [np.full(one.stop - one.start, float(one.tensor not in outside)) for one in parameters.weights]
    return np.concatenate(each)


def _asked(task: Task) -> dict[str, Any]:
    """What decides how the search goes, for its record."""
    parameters = task.network.parameters
    return {
        "alpha": task.alpha,
        "budget": task.budget,
        "epochs": task.epochs,
        "seed": task.seed,
        "rows": [task.rows, task.judges],
        "weights": [
            [name, weight.stop - weight.start]
            for name, weight in zip(parameters.names, parameters.weights, strict=True)
        ],
        "penalised": int(np.count_nonzero(task.factor)),
    }
