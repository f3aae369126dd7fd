"""Tuning by training on: answers that are known, where to go on, what is counted, what is said."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks import tune as benchmark
from benchmarks.tuning.contest import draw
from benchmarks.tuning.problems import PROBLEMS
from torch import Tensor, nn

from eigenshrink.errors import InputError
from eigenshrink.networks.batches import batches
from eigenshrink.networks.meter import counted, dealt
from eigenshrink.networks.network import Network
from eigenshrink.networks.plan import Costs, rounds
from eigenshrink.networks.sampled import blind, shuffled, some_rows
from eigenshrink.networks.search import RUNGS
from eigenshrink.networks.steer import Around, Seen, bracket, lowest, onwards
from eigenshrink.networks.tuning import Evaluation, Tuning
from eigenshrink.path.measured import RowLosses
from tuning_cases import LOSS, Ridge, Trainer, net, tune

# --- a problem whose answer is known: squared loss of a linear model, solved exactly at every strength -----


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


# --- what is counted ------


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


def test_shuffled_rows_keep_their_targets() -> None:
    X, y = torch.arange(40.0)[:, None], torch.arange(40)
    (one,) = shuffled(list(batches({"X": X, "labels": y})), 0)
    assert torch.equal(one.target, y)
    assert not torch.equal(one.inputs["X"], X)
    assert torch.equal(one.inputs["X"].sort(dim=0).values, X)


def test_a_model_that_looks_at_its_inputs_is_told_from_one_that_does_not() -> None:
    values, ones = np.random.default_rng(0).exponential(size=100), np.ones(100)
    found = RowLosses(values, ones)
    for extra, expected in ((0.0, True), (1e-4, True), (-0.1, True), (0.01, False), (3.0, False)):
        assert blind(found, RowLosses(values + extra, ones)) is expected
    assert not blind(RowLosses(values - 5, ones), RowLosses(values - 4, ones))


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


def test_a_training_that_ignores_its_effort_is_shown() -> None:
    found = tune(net(0), lambda model, alpha, effort: Trainer()(model, alpha, 0.6))
    assert found.summary().count("where 0.25 was asked for") >= 1
    assert found.taken(1) == pytest.approx(found.evaluations[0].effort)
    assert "asked for" not in Ridge().tune(alpha=1.0).summary()


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
