"""Tuning by training on: answers that are known, searches that are killed, trainings that diverge."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks import tune as benchmark
from benchmarks.tuning.contest import draw
from benchmarks.tuning.problems import PROBLEMS
from safetensors.torch import load_file
from torch import Tensor, nn

import eigenshrink.networks as en
from eigenshrink.errors import InputError, NotConverged
from eigenshrink.networks.batches import batches
from eigenshrink.networks.meter import counted, dealt
from eigenshrink.networks.network import Network
from eigenshrink.networks.plan import Costs, rounds
from eigenshrink.networks.search import RUNGS, _attempt
from eigenshrink.networks.steer import Around, Seen, bracket, lowest, onwards, some_rows
from eigenshrink.networks.tuning import Evaluation, Tuning

LOSS = nn.MSELoss()


# --- a problem whose answer is known: squared loss of a linear model, solved exactly at every strength -----


class Ridge:
    """Training rows, rows that judge, and the exact solution: ``L = mean (y − Xw)²``, so ``H = 2XᵀX/n``."""

    def __init__(self, seed: int = 0, n: int = 24, p: int = 5, noise: float = 2.0) -> None:
        rng = np.random.default_rng(seed)
        w = rng.standard_normal(p)
        self.X, self.V = rng.standard_normal((n, p)), rng.standard_normal((n, p))
        self.y = self.X @ w + noise * rng.standard_normal(n)
        self.v = self.V @ w + noise * rng.standard_normal(n)
        self.H, self.b = 2 * self.X.T @ self.X / n, 2 * self.X.T @ self.y / n
        self.model = nn.Linear(p, 1, bias=False, dtype=torch.float64)
        self.alphas: list[float] = []

    def weights(self, alpha: float) -> np.ndarray:
        return np.linalg.solve(self.H + alpha * np.eye(len(self.b)), self.b)

    def judged(self, alpha: float) -> float:
        return float(np.mean((self.v - self.V @ self.weights(alpha)) ** 2))

    @property
    def pairs(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        both = ((self.X, self.y), (self.V, self.v))
        train, judge = ((torch.from_numpy(X), torch.from_numpy(y)[:, None]) for X, y in both)
        return train, judge

    def train(self, model: nn.Module, alpha: float, effort: float) -> None:
        self.alphas.append(alpha)
        for _ in range(round(100 * effort)):
            model(torch.from_numpy(self.X))
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(self.weights(alpha))[None])

    def tune(self, **options: Any) -> Tuning:
        return en.tune(self.train, self.model, LOSS, *self.pairs, **options)


@pytest.mark.parametrize("start", [1.0, 30.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_strength_of_least_validation_loss_is_found(seed: int, start: float) -> None:
    problem = Ridge(seed)
    grid = np.geomspace(1e-4, 1e4, 801)
    best = min(problem.judged(alpha) for alpha in grid)
    found = problem.tune(alpha=start)
    assert found.validation_loss == pytest.approx(problem.judged(found.alpha))
    assert found.validation_loss <= best * (1 + 1e-3)
    np.testing.assert_allclose(problem.model.weight.detach().numpy()[0], problem.weights(found.alpha))


def test_far_away_each_step_is_a_decade_and_the_last_one_is_not_too_long() -> None:
    problem = Ridge(2)
    found = problem.tune(alpha=1e-3)
    assert problem.alphas[:3] == pytest.approx([1e-3, 1e-2, 1e-1])
    grid = np.geomspace(0.1, 1.0, 801)
    best = min(problem.judged(alpha) for alpha in grid)
    assert found.best == 3
    assert found.validation_loss <= best * (1 + 1e-3)
    problem = Ridge(3)
    assert problem.tune(alpha=1.0).alpha == pytest.approx(1e-3)  # the least is at 0


@pytest.mark.parametrize("alpha", [0.1, 3.0])
def test_path_and_slope_are_those_of_the_exact_solution(alpha: float) -> None:
    problem = Ridge()
    problem.train(problem.model, alpha, 0.01)
    network = Network.of(problem.model, LOSS)
    around = Around.of(network, list(network.batches(problem.pairs[0])), alpha, np.ones(5))
    for other in (1e-3, 0.1, 20.0):
        np.testing.assert_allclose(around.weights(other), problem.weights(other), rtol=1e-9)
    step = 1e-5
    ahead, behind = (problem.weights(alpha * math.exp(sign * step)) for sign in (1, -1))
    np.testing.assert_allclose(around.slope, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-9)
    found = Ridge().tune(alpha=alpha).evaluations[0]
    low, high = (problem.judged(alpha * math.exp(sign * step)) for sign in (-1, 1))
    assert found.hypergradient == pytest.approx((high - low) / (2 * step), rel=1e-5)
    for place, loss in found.predicted:
        assert loss == pytest.approx(problem.judged(place), rel=1e-9)


def test_weights_that_are_not_penalised_stay_where_they_are() -> None:
    model = nn.Linear(3, 1, dtype=torch.float64)
    network = Network.of(model, LOSS)
    X = torch.randn(20, 3, dtype=torch.float64)
    around = Around.of(network, list(network.batches((X, X[:, :1]))), 0.5, np.array([1.0, 1, 1, 0]))
    moved = around.weights(5.0)
    assert moved[3] == network.parameters.flat()[3]
    assert not np.allclose(moved[:3], network.parameters.flat()[:3])
    start, H = network.parameters.flat()[:3], 2 * (X.T @ X / 20).numpy()
    exact = start - np.linalg.solve(H + 5.0 * np.eye(3), 4.5 * start)
    np.testing.assert_allclose(moved[:3], exact, rtol=1e-9)


def test_nothing_to_penalise_ends_with_the_start() -> None:
    problem = Ridge()
    with torch.no_grad():
        problem.model.weight.zero_()
    found = problem.tune(exclude="weight", alpha=0.5)
    assert {one.alpha for one in found.evaluations} == {0.5}
    assert all(one.hypergradient in (0.0, None) for one in found.evaluations)


# --- where to go on ----------------------------------------------------------------------------------------


def test_a_parabola_finds_its_own_minimum() -> None:
    def loss(x: float) -> float:
        return 3.0 + 2.0 * (x - 0.7) ** 2

    steps = [0.0, 0.5, 1.0, 1.5]
    assert lowest(steps, [loss(x) for x in steps], -2.8) == pytest.approx(0.7)
    assert lowest([0.0, 2.0], [loss(0.0), loss(2.0)], -2.8) == pytest.approx(0.7)
    assert lowest(steps, [4.0, 3.0, 2.0, 1.0], -1.0) == 1.5
    assert lowest(steps, [4.0, 3.0, math.nan], -1.0) == 0.5
    assert lowest([0.0], [1.0], -1.0) == 0.0
    assert lowest([0.0, 1.0], [1.0, 0.0 + 1.0 - 1e-30], -0.0) <= 1.0


def test_a_bracket_follows_the_newest_slopes() -> None:
    assert bracket([]) == (0.0, math.inf)
    assert bracket([Seen(1e-3, -1.0), Seen(1e-2, 1.0)]) == (1e-3, 1e-2)
    assert bracket([Seen(1e-3, -1.0), Seen(1e-2, 1.0), Seen(3e-3, -1.0)]) == (3e-3, 1e-2)
    assert bracket([Seen(1e-3, 1.0), Seen(1e-2, -1.0)]) == (1e-2, math.inf)
    assert bracket([Seen(1e-2, -1.0), Seen(1e-3, 1.0)]) == (0.0, 1e-3)
    assert bracket([Seen(1e-2, math.nan), Seen(1e-3, 0.0)]) == (0.0, math.inf)


def test_steps_are_bold_outside_a_bracket_and_short_inside() -> None:
    up = Seen(1e-3, -1.0)
    assert onwards(1e-3, 2e-3, [up]) == pytest.approx(4e-3)
    assert onwards(1e-3, 9e-3, [up]) == pytest.approx(1e-2)
    assert onwards(1e-3, 2e-3, [up], last=True) == pytest.approx(2e-3)
    assert onwards(1e-3, 5e-4, [Seen(1e-3, 1.0)]) == pytest.approx(2.5e-4)
    assert onwards(1e-2, 4e-3, [up, Seen(1e-2, 1.0)]) == pytest.approx(4e-3)
    assert onwards(1e-2, 1e-4, [up, Seen(1e-2, 1.0)]) == pytest.approx(1e-3)


def test_no_step_reaches_a_strength_that_diverged() -> None:
    wall = Seen(1e-2, math.nan)
    assert onwards(1e-3, 9e-3, [wall, Seen(1e-3, -1.0)]) == pytest.approx(math.sqrt(1e-5))
    assert onwards(1e-3, 2e-3, [wall, Seen(1e-3, -1.0)]) == pytest.approx(4e-3)
    assert onwards(1e-3, 5e-4, [wall, Seen(1e-3, 1.0)]) == pytest.approx(2.5e-4)


# --- a network with everything that has a state ------------------------------------------------------------


def net(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Tanh(), nn.Linear(8, 3))


def rows(seed: int, n: int = 60) -> tuple[Tensor, Tensor]:
    made = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 6, generator=made)
    y = (X[:, :3] + torch.randn(n, 3, generator=made)).argmax(1)
    return X, y


TRAIN, JUDGE = rows(1), rows(2)


class Killed(Exception):
    """What no part of the program may catch."""


class Trainer:
    """SGD on shuffled rows; counts what it does, and may fail at one of its calls."""

    def __init__(self, fail: int = -1, how: Callable[[nn.Module], Any] | None = None) -> None:
        self.fail, self.how = fail, how
        self.calls, self.gradients = 0, 0

    def __call__(self, model: nn.Module, alpha: float, effort: float) -> Any:
        X, y = TRAIN
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=alpha)
        model.train()
        for _ in range(max(1, int(100 * effort))):
            for picked in torch.randperm(len(y)).split(30):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[picked]), y[picked]).backward()
                optimizer.step()
                self.gradients += len(picked)
        self.calls += 1
        return self.how(model) if self.how is not None and self.calls == self.fail else None


def tune(model: nn.Module, trainer: Any = None, **options: Any) -> Tuning:
    train = trainer or Trainer()
    return en.tune(train, model, nn.CrossEntropyLoss(), TRAIN, JUDGE, **{"alpha": 1e-2, **options})


def same(one: nn.Module, two: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def kill(model: nn.Module) -> None:
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(7.0)
    raise Killed


@pytest.fixture(scope="module")
def whole() -> tuple[nn.Module, Tuning]:
    """A search that nobody disturbed, and the model it ended with."""
    model = net(0)
    return model, tune(model)


def test_the_budget_is_kept_and_everything_counts() -> None:
    trainer = Trainer()
    found = tune(net(0), trainer)
    each = found.evaluations
    assert sum(one.gradients for one in each) == trainer.gradients
    full = each[0].gradients / each[0].effort
    assert full == pytest.approx(100 * 60)
    assert found.spent == pytest.approx(sum(one.gradients + one.steering for one in each) / full)
    assert found.spent <= 1.8
    assert all(one.steering > 0 for one in each)
    assert all(one.spent < two.spent for one, two in pairwise(each))
    small = tune(net(0), budget=0.9)
    assert small.spent <= 0.9


def test_steering_costs_at_least_what_is_passed_through_the_model() -> None:
    calls: list[float] = []

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.training_now = net(0), False

        def forward(self, X: Tensor) -> Tensor:
            if not self.training_now:
                calls.append(len(X) / 3)
            scores: Tensor = self.inner(X)
            return scores

    def train(model: Any, alpha: float, effort: float) -> None:
        model.training_now = True
        Trainer()(model, alpha, effort)
        model.training_now = False

    found = tune(Counting(), train)
    assert sum(one.steering for one in found.evaluations) >= 0.9 * sum(calls) > 0


def test_the_model_ends_with_the_weights_of_least_validation_loss(whole: tuple[nn.Module, Tuning]) -> None:
    model, found = whole
    losses = [one.validation_loss for one in found.evaluations]
    assert found.validation_loss == min(losses) == losses[found.best]
    with torch.no_grad():
        judged = nn.functional.cross_entropy(model.eval()(JUDGE[0]), JUDGE[1])
    assert float(judged) == pytest.approx(found.validation_loss, rel=1e-5)
    assert found.alpha == found.weight_decay == found.evaluations[found.best].weight_decay


def test_the_same_seed_gives_the_same_search_and_leaves_random_numbers_alone(
    whole: tuple[nn.Module, Tuning],
) -> None:
    model, first = whole
    again = net(0)
    torch.rand(5)
    before = torch.get_rng_state()
    second = tune(again)
    assert torch.equal(before, torch.get_rng_state())
    assert first.to_dict() == second.to_dict()
    assert same(again, model)
    assert tune(net(0), seed=3).to_dict() != first.to_dict()


@pytest.mark.parametrize("call", [1, 3])
def test_a_search_killed_in_a_training_goes_on_exactly(
    tmp_path: Path, call: int, whole: tuple[nn.Module, Tuning]
) -> None:
    model, expected = whole
    record = tmp_path / "run.json"
    with pytest.raises(Killed):
        tune(net(0), Trainer(call, kill), record=record)
    trainer, resumed = Trainer(), net(0 if call == 1 else 99)
    found = tune(resumed, trainer, record=record)
    assert trainer.calls == len(expected.evaluations) - (call - 1)
    assert found.to_dict() == expected.to_dict()
    assert same(resumed, model)


def test_a_search_killed_between_trainings_goes_on_exactly(
    tmp_path: Path, whole: tuple[nn.Module, Tuning]
) -> None:
    model, expected = whole
    record = tmp_path / "run.json"
    seen: list[Evaluation] = []

    def stop(one: Evaluation) -> None:
        seen.append(one)
        raise Killed

    for _ in expected.evaluations:
        with pytest.raises(Killed):
            tune(net(0), record=record, progress=stop)
    resumed, trainer = net(5), Trainer()
    assert tune(resumed, trainer, record=record).to_dict() == expected.to_dict()
    assert trainer.calls == 0
    assert same(resumed, model)
    assert seen == list(expected.evaluations)


def test_the_record_holds_every_evaluation_and_the_weights(tmp_path: Path) -> None:
    record, model = tmp_path / "run.json", net(0)
    found = tune(model, record=record)
    told = json.loads(record.read_text(encoding="utf-8"))
    assert [Evaluation.of(one) for one in told["evaluations"]] == list(found.evaluations)
    assert set(told["evaluations"][0]) >= {
        "alpha", "effort", "train_loss", "validation_loss", "hypergradient", "predicted", "gradients", "spent"
    }  # fmt: skip
    count = len(found.evaluations)
    assert {path.name for path in tmp_path.iterdir()} == {"run.json", f"run.{count}.safetensors"}
    tensors = load_file(tmp_path / f"run.{count}.safetensors")
    for name, value in model.state_dict().items():
        assert torch.equal(tensors[f"best.{name}"], value)


def test_a_record_of_another_search_is_refused(tmp_path: Path) -> None:
    record = tmp_path / "run.json"
    tune(net(0), record=record)
    with pytest.raises(InputError, match=r"other alpha, seed: ask for the same"):
        tune(net(0), record=record, alpha=2e-2, seed=4)
    with pytest.raises(InputError, match=r"other weights"):
        en.tune(Trainer(), nn.Linear(6, 3), nn.CrossEntropyLoss(), TRAIN, JUDGE, alpha=1e-2, record=record)
    next(tmp_path.glob("*.safetensors")).write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"cannot be read: remove it"):
        tune(net(0), record=record)
    record.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be read: remove it"):
        tune(net(0), record=record)


# --- trainings that diverge --------------------------------------------------------------------------------


def broken(model: nn.Module) -> None:
    with torch.no_grad():
        model[0].weight[0, 0] = math.nan


def running_away(model: nn.Module) -> None:
    with torch.no_grad():
        model[1].running_var.fill_(math.nan)


def raising(model: nn.Module) -> None:
    broken(model)
    raise FloatingPointError("loss is nan")


WAYS = [
    (broken, "weights are not finite"),
    (running_away, "the validation loss is nan"),
    (raising, "train raised FloatingPointError: loss is nan"),
]


@pytest.mark.parametrize(("how", "words"), WAYS)
def test_a_training_that_diverges_is_taken_back(how: Callable[[nn.Module], Any], words: str) -> None:
    model, trainer = net(0), Trainer(2, how)
    found = tune(model, trainer)
    first, failed, third = found.evaluations[:3]
    assert words in failed.diverged
    assert failed.validation_loss is None
    assert words in found.summary()
    assert first.next_alpha == failed.alpha != first.alpha
    assert third.alpha == failed.next_alpha == pytest.approx(math.sqrt(first.alpha * failed.alpha))
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert found.spent <= 1.8
    assert sum(one.gradients for one in found.evaluations) == trainer.gradients


def test_a_first_training_that_diverges_is_tried_again_weaker(tmp_path: Path) -> None:
    start = net(0)
    seen: list[nn.Module] = []

    def train(model: nn.Module, alpha: float, effort: float) -> None:
        if alpha > 5e-3:
            raising(model)
        if not seen:
            assert same(model, start)
            seen.append(model)
        Trainer()(model, alpha, effort)

    found = tune(net(0), train, record=tmp_path / "run.json", budget=2.5)
    assert [one.alpha for one in found.evaluations[:2]] == [1e-2, 1e-3]
    assert found.evaluations[0].diverged
    assert all(one.alpha < 1e-2 for one in found.evaluations[1:])
    with pytest.raises(NotConverged, match=r"diverges at alpha = 0\.01 and 0\.001 .*lower its learning rate"):
        tune(net(0), lambda model, alpha, effort: raising(model))


@pytest.mark.parametrize("told", [math.nan, torch.tensor(math.inf)])
def test_a_loss_that_is_not_finite_is_heard(told: Any) -> None:
    words = _attempt(lambda model, alpha, effort: told, nn.Linear(1, 1), 1.0, 1.0)
    assert words == f"train gave the loss {float(told)}"
    assert _attempt(lambda model, alpha, effort: 0.5, nn.Linear(1, 1), 1.0, 1.0) == ""


def test_an_error_of_the_training_is_its_own() -> None:
    def wrong(model: nn.Module, alpha: float, effort: float) -> None:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        tune(net(0), wrong)


# --- rows, counts, words -----------------------------------------------------------------------------------


def test_some_rows_are_drawn_from_all_batches_or_some() -> None:
    X, y = torch.arange(230.0)[:, None], torch.arange(230)
    cut = [(X[i : i + 50], y[i : i + 50]) for i in range(0, 230, 50)]
    some = some_rows(batches(cut), 0.4, 0)
    places = torch.cat([batch.target for batch in some])
    assert len(places) == len(set(places.tolist())) == pytest.approx(92, abs=16)
    assert all(torch.equal(batch.inputs[:, 0], batch.target.float()) for batch in some)
    assert len(some_rows(batches(cut), 1.0, 0)) == 5
    fewer = some_rows(batches(cut), 0.1, 0)
    assert len(fewer) == 1
    assert 16 <= fewer[0].rows <= 23
    assert sum(batch.rows for batch in some_rows(batches((X, y)), 0.01, 0)) == 16
    other = torch.cat([batch.target for batch in some_rows(batches(cut), 0.4, 1)])
    assert not torch.equal(places, other)


def test_rows_of_dicts_and_tuples_are_drawn_together() -> None:
    ids = torch.arange(40)[:, None].expand(40, 3)
    batch = {"input_ids": ids, "attention": (ids, ids + 1), "scale": torch.tensor(2.0), "labels": ids[:, 0]}
    (one,) = some_rows(batches(batch), 0.5, 0)
    assert one.rows == 20
    assert torch.equal(one.inputs["input_ids"][:, 0], one.target)
    assert torch.equal(one.inputs["attention"][1][:, 0], one.target + 1)
    assert one.inputs["scale"] == 2.0


def test_calls_of_a_model_are_counted_by_rows() -> None:
    model = nn.Linear(2, 1)
    with counted(model) as meter:
        model(torch.zeros(7, 2))
        with torch.no_grad():
            model(input=torch.zeros(9, 2))
    model(torch.zeros(100, 2))
    assert meter.gradients == pytest.approx(7 + 3)


def test_dealt_random_numbers_depend_on_the_seed_alone() -> None:
    made = torch.Generator().manual_seed(4)
    data = torch.utils.data.TensorDataset(torch.arange(9))
    loader = torch.utils.data.DataLoader(data, shuffle=True, generator=made)
    before, state = torch.get_rng_state(), made.get_state()
    found = []
    for _ in range(2):
        with dealt(loader, 3):
            found.append((torch.rand(3), torch.cat([batch for (batch,) in loader])))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(state, made.get_state())


def test_few_rounds_where_steering_is_dear() -> None:
    assert rounds(Costs(full=24_000, rows=400, judges=400), 1.8) == 3
    assert rounds(Costs(full=4_000, rows=400, judges=400), 1.8) == 1
    assert Costs(full=24_000, rows=400, judges=400).share == pytest.approx(0.25)
    assert Costs(full=1e6, rows=400, judges=400).share == 1.0


def test_the_interval_holds_what_the_rows_cannot_tell_apart() -> None:
    made = [
        Evaluation(alpha, 0.5, 0.1, loss, None, (), 10.0, 1.0, 1.0)
        for alpha, loss in ((1e-3, 0.5), (1e-2, 0.4), (3e-2, 0.41))
    ]
    found = Tuning(tuple(made), 1, (2,))
    assert found.interval == (1e-2, 3e-2)
    assert "cannot tell strengths from 0.01 to 0.03 apart" in found.verdict
    assert "cannot tell" not in Tuning(tuple(made), 1, ()).verdict
    assert found.summary().count("\n") == 3


def test_more_rows_that_judge_tell_more_strengths_apart() -> None:
    few, many = (Ridge(seed=3, n=n).tune(alpha=1e-3) for n in (12, 2000))
    assert len(few.alike) >= len(many.alike)
    assert few.interval[0] <= few.alpha <= few.interval[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": 0.0}, "alpha is 0.0; give a strength to start from"),
        ({"budget": 0.1}, "budget is 0.1; give a number of full trainings"),
        ({"budget": math.inf}, "budget is inf"),
        ({"epochs": -1}, "epochs is -1"),
        ({"trainer": 3}, "train is int; give a function"),
        ({"trainer": lambda model, alpha, effort: None}, "left every weight as it was"),
    ],
)
def test_what_cannot_be_used_is_said(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        tune(net(0), **options)


def test_a_training_that_cannot_be_counted_needs_epochs() -> None:
    def elsewhere(model: nn.Module, alpha: float, effort: float) -> None:
        other = net(0)
        Trainer()(other, alpha, effort)
        model.load_state_dict(other.state_dict())

    with pytest.raises(InputError, match=r"never called the model .*epochs="):
        tune(net(1), elsewhere)
    found = tune(net(1), elsewhere, epochs=100)
    assert found.evaluations[0].gradients == pytest.approx(0.6 * 100 * 60)
    assert found.spent <= 1.8


# --- measured ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logistic, 10% wrong labels", "MLP, 10% wrong labels"])
def test_tuning_is_as_good_as_a_grid_for_a_fifth(name: str) -> None:
    found = draw(PROBLEMS[name], benchmark.UNSEEN)
    assert found["test tune"] <= 1.02
    assert found["cost tune"] <= 0.2


def test_the_table_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--problems", "logistic", "--draws", "2", "--epochs", "4", "--processes", "1"]
    assert benchmark.main([*asked, "--output", str(tmp_path)]) == 0
    text = (tmp_path / "tune.md").read_text(encoding="utf-8")
    assert text.count("| logistic |") == 3
    assert len(json.loads((tmp_path / "tune.json").read_text(encoding="utf-8"))["logistic"]) == 2
    with pytest.raises(SystemExit):
        benchmark.main([*asked, "--first-seed", "3"])
    assert "seeds below 10000" in capsys.readouterr().err


def test_the_ladder_ascends() -> None:
    assert list(RUNGS) == sorted(RUNGS)
    assert RUNGS[-1] == 1.0
