"""One evaluation after the other: train, judge, look around, go on; step back where it diverged (M5, M13)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eigenshrink.errors import InputError, NotConverged
from eigenshrink.networks.batches import Batch, Batches
from eigenshrink.networks.diary import Diary, Kept
from eigenshrink.networks.measure import Pass, run
from eigenshrink.networks.meter import FORWARD, PRODUCT, counted, dealt, finite, restore, state_of
from eigenshrink.networks.network import Network
from eigenshrink.networks.plan import Costs, effort, left, rounds, spent
from eigenshrink.networks.sampled import blind, shuffled, some_rows
from eigenshrink.networks.state import undisturbed
from eigenshrink.networks.steer import PRODUCTS, RUNGS, Around, Seen, lowest, onwards
from eigenshrink.networks.tuning import SURE, Evaluation, Tuning
from eigenshrink.path.measured import RowLosses

Array = NDArray[np.float64]
Train = Callable[[nn.Module, float, float], Any]

BACK = 0.1  # times the strength, where the very first training diverged
BLIND = "the model no longer looks at its inputs: the penalty has taken its weights"
TRIES = 2  # first trainings that may diverge


@dataclass(frozen=True, eq=False)
class Task:
    """What is searched for, with what.

    Attributes
    ----------
    train : callable
    model : nn.Module
        As it was given: what is trained.
    network : Network
    data, judging : Batches
    rows, judges : int
        Of them.
    factor : (p,)
        d, 0 where nothing is penalised.
    alpha : float
        To start from.
    budget : float
        Full trainings.
    epochs : float or None
        Passes over the data of a full training; None: counted.
    seed : int
    """

    train: Train
    model: nn.Module
    network: Network
    data: Batches
    judging: Batches
    rows: int
    judges: int
    factor: Array
    alpha: float
    budget: float
    epochs: float | None
    seed: int


class Search:
    """A search that can be stopped after each evaluation, and gone on with from its diary.

    Parameters
    ----------
    task : Task
    diary : Diary
    """

    def __init__(self, task: Task, diary: Diary) -> None:
        self.task, self.diary = task, diary
        self.model = task.model
        found = diary.read()
        self.kept = found or Kept(ahead=state_of(self.model))
        restore(self.model, self.kept.ahead)

    @property
    def costs(self) -> Costs | None:
        """Known after the first training."""
        if self.task.epochs is not None:
            return Costs(self.task.epochs * self.task.rows, self.task.rows, self.task.judges)
        full = [one.gradients / one.effort for one in self.kept.evaluations if one.gradients]
        return Costs(full[0], self.task.rows, self.task.judges) if full else None

    @property
    def effort(self) -> float:
        """Of the next training, in full ones; 0: the search has ended."""
        return effort(self.kept.evaluations, self.costs, self.task.budget)

    def evaluate(self) -> Evaluation:
        """Train once, judge, and write it down."""
        alpha = self.kept.evaluations[-1].next_alpha if self.kept.evaluations else self.task.alpha
        assert alpha is not None
        one = self._train(alpha, self.effort)
        self.kept.evaluations.append(one)
        if not one.diverged:
            one = self._judge(one)
        if one.diverged:
            one = self._back(one)
        self.kept.evaluations[-1] = one
        if (costs := self.costs) is not None:
            self.kept.evaluations[-1] = one = replace(one, spent=spent(self.kept.evaluations, costs))
        self.kept.ahead = state_of(self.model)
        self.diary.write(self.kept)
        return one

    def result(self) -> Tuning:
        """Put the best weights into the model and say how sure they are the best."""
        best = self._best()
        if best is None:
            raise NotConverged(
                "no training ended with finite weights: "
                + "; ".join(e.diverged for e in self.kept.evaluations)
            )
        restore(self.model, self.kept.best)
        good = [place for place, one in enumerate(self.kept.evaluations) if not one.diverged]
        losses = {place: self._losses(rows) for place, rows in zip(good, self.kept.rows, strict=True)}
        own = losses.pop(best)
        alike = [place for place, rows in losses.items() if rows.mean - own.mean <= SURE * rows.noise(own)]
        return Tuning(tuple(self.kept.evaluations), best, tuple(alike))

    def _train(self, alpha: float, effort: float) -> Evaluation:
        """One training, and why it diverged, if it did."""
        place, task = len(self.kept.evaluations), self.task
        before = task.network.parameters.flat()
        with counted(self.model) as meter, dealt(task.data.loader, task.seed + place):
            reason = _attempt(task.train, self.model, alpha, effort)
        self._has_trained(meter.gradients, before, reason)
        gradients = meter.gradients if task.epochs is None else effort * task.epochs * self.task.rows
        return Evaluation(alpha, effort, None, None, None, (), gradients, 0.0, 0.0, reason)

    def _has_trained(self, gradients: float, before: Array, reason: str) -> None:
        """Refuse a training that leaves the model as it was, or that cannot be counted."""
        if not reason and not len(self.kept.evaluations):
            if np.array_equal(before, self.task.network.parameters.flat()):
                raise InputError(
                    "train(model, alpha, effort) left every weight as it was: it must train the model it "
                    "is given, in place"
                )
            if self.task.epochs is None and not gradients:
                raise InputError(
                    "train never called the model that it was given, so its gradient evaluations cannot be "
                    "counted: say how many passes over the data a full training makes, epochs=..."
                )

    def _judge(self, one: Evaluation) -> Evaluation:
        """Losses, and where to go on if the budget allows another training."""
        costs, place = self.costs, len(self.kept.evaluations)
        assert costs is not None
        more = self._more(costs)
        rows = some_rows(self.task.data, costs.share, self.task.seed + place)
        sampled = sum(batch.rows for batch in rows)
        judged = self._pass(self.task.judging, gradient=more)
        if not math.isfinite(judged.losses.mean):
            return replace(one, diverged=f"the validation loss is {judged.losses.mean}")
        trained = self._pass(rows, gradient=False)
        without = self._pass(shuffled(rows, self.task.seed + place), gradient=False)
        steering = FORWARD * 2 * sampled + self.task.judges * (1.0 if more else FORWARD)
        one = replace(
            one, train_loss=trained.losses.mean, validation_loss=judged.losses.mean, steering=steering
        )
        if blind(trained.losses, without.losses):
            return replace(one, validation_loss=None, diverged=BLIND)
        self._keep(one, judged.losses)
        return self._steer(one, rows, judged.gradient) if more else one

    def _more(self, costs: Costs) -> bool:
        """Whether another training comes after this one."""
        each, budget = self.kept.evaluations, self.task.budget
        good = sum(not one.diverged for one in each)
        return good <= rounds(costs, budget) and left(each, costs, budget) > costs.round / costs.full

    def _steer(self, one: Evaluation, rows: list[Batch], gradient: Array) -> Evaluation:
        """The hypergradient, the predicted path where it leads, and the strength to go on with."""
        network = self.task.network
        around = Around.of(network, rows, one.alpha, self.task.factor)
        slope = float(gradient @ around.slope)
        assert one.validation_loss is not None
        seen = [(one.alpha, one.validation_loss)]
        for rung in RUNGS if slope else ():
            alpha = one.alpha * 10.0 ** (-math.copysign(rung, slope))
            loss = self._pass(self.task.judging, gradient=False, weights=around.weights(alpha)).losses.mean
            seen.append((alpha, loss))
            if not loss <= min(value for _, value in seen):
                break
        steps = [abs(math.log(alpha / one.alpha)) for alpha, _ in seen]
        step = lowest(steps, [loss for _, loss in seen], -abs(slope))
        best = one.alpha * math.exp(-math.copysign(step, slope))
        network.parameters.write(around.weights(best))
        judged = FORWARD * self.task.judges * (len(seen) - 1)
        sampled = sum(batch.rows for batch in rows)
        history = [*self._seen(), Seen(one.alpha, slope)]
        return replace(
            one,
            hypergradient=slope,
            predicted=tuple(pair for pair in seen[1:] if math.isfinite(pair[1])),
            steering=one.steering + PRODUCTS * PRODUCT * sampled + judged,
            next_alpha=onwards(one.alpha, best, history, self._last),
        )

    @property
    def _last(self) -> bool:
        """Whether the training after this evaluation is the last one."""
        costs = self.costs
        good = sum(not one.diverged for one in self.kept.evaluations)
        return costs is not None and good >= rounds(costs, self.task.budget)

    def _seen(self) -> list[Seen]:
        """What the evaluations before this one say."""
        return [
            Seen(one.alpha, math.nan if one.hypergradient is None else one.hypergradient)
            for one in self.kept.evaluations[:-1]
        ]

    def _back(self, one: Evaluation) -> Evaluation:
        """Put back the best weights, or the first ones, and go half way to the strength that failed."""
        best = self._best()
        if best is None and len(self.kept.evaluations) >= TRIES:
            tried = " and ".join(f"{each.alpha:g}" for each in self.kept.evaluations)
            raise NotConverged(
                f"the training fails at alpha = {tried} ({one.diverged}): lower its learning rate, or "
                "give an alpha with which it is known to work"
            )
        restore(self.model, self.kept.ahead if best is None else self.kept.best)
        near = one.alpha * BACK if best is None else self.kept.evaluations[best].alpha
        nearer = near if best is None else math.sqrt(near * one.alpha)
        if best is not None and near == one.alpha:
            nearer = one.alpha * 10.0 ** -RUNGS[0]
        costs = self.costs
        over = costs is not None and left(self.kept.evaluations, costs, self.task.budget) == 0
        return replace(one, next_alpha=None if over else nearer)

    def _best(self) -> int | None:
        losses = [one.validation_loss for one in self.kept.evaluations]
        known = [(loss, place) for place, loss in enumerate(losses) if loss is not None]
        return min(known)[1] if known else None

    def _keep(self, one: Evaluation, losses: RowLosses) -> None:
        """The rows of this evaluation, and its weights where it is the best so far."""
        self.kept.rows.append(torch.from_numpy(losses.values.copy()))
        self.kept.weights = torch.from_numpy(losses.weights.copy())
        best = self._best()
        assert one.validation_loss is not None
        if best is None or one.validation_loss < (self.kept.evaluations[best].validation_loss or math.inf):
            self.kept.best = state_of(self.model)

    def _losses(self, values: Tensor) -> RowLosses:
        assert self.kept.weights is not None
        return RowLosses(values.numpy(), self.kept.weights.numpy())

    def _pass(self, data: Any, gradient: bool, weights: Array | None = None) -> Pass:
        network = self.task.network
        at = network.parameters.flat() if weights is None else weights
        with undisturbed(self.model):
            return run(network, at, network.batches(data), gradient)


def _attempt(train: Train, model: nn.Module, alpha: float, effort: float) -> str:
    """Train; in words why that failed, "" where it did not."""
    try:
        told = train(model, alpha, effort)
    except ArithmeticError as error:
        return f"train raised {type(error).__name__}: {error}"
    if isinstance(told, Tensor) and told.numel() == 1:
        told = told.item()
    if isinstance(told, float) and not math.isfinite(told):
        return f"train gave the loss {told}"
    return "" if finite(model) else "weights are not finite after the training"
