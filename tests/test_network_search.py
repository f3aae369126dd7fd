"""Searches that are killed, records, trainings that fail: what stands and what goes on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.tuning.problems import PROBLEMS, Rows
from benchmarks.tuning.problems import Trainer as DigitTrainer
from safetensors.torch import load_file
from torch import nn

import eigenshrink.networks as en
from eigenshrink.errors import InputError, NotConverged
from eigenshrink.networks.search import BLIND, _attempt
from eigenshrink.networks.tuning import Evaluation, Tuning
from tuning_cases import JUDGE, TRAIN, Killed, Trainer, broken, kill, net, raising, running_away, same, tune


@pytest.fixture(scope="module")
def whole() -> tuple[nn.Module, Tuning]:
    """A search that nobody disturbed, and the model it ended with."""
    model = net(0)
    return model, tune(model)


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
    fewer = JUDGE[0][:50], JUDGE[1][:50]
    with pytest.raises(InputError, match=r"other rows"):
        en.tune(Trainer(), net(0), nn.CrossEntropyLoss(), TRAIN, fewer, alpha=1e-2, record=record)
    next(tmp_path.glob("*.safetensors")).write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"cannot be read: remove it"):
        tune(net(0), record=record)
    record.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be read: remove it"):
        tune(net(0), record=record)


# --- trainings that diverge --------------------------------------------------------------------------------


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
    with pytest.raises(NotConverged, match=r"fails at alpha = 0\.01 and 0\.001 .*lower its learning rate"):
        tune(net(0), lambda model, alpha, effort: raising(model))


def test_a_network_that_the_penalty_has_emptied_starts_again_weaker() -> None:
    problem = PROBLEMS["CNN, 10% wrong labels"]
    rows = Rows.drawn(0, problem.wrong)
    train = DigitTrainer(rows.train, problem.rate, 30)
    found = en.tune(train, problem.model(0), nn.CrossEntropyLoss(), rows.train, rows.judge, alpha=0.3)
    first, second = found.evaluations[:2]
    assert first.diverged == BLIND
    assert second.alpha == pytest.approx(0.03)
    assert found.validation_loss < 1.3 < math.log(10)
    assert found.spent <= 1.8


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
