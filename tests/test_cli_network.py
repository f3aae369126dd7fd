"""``eigenshrink network`` and its demo: from a factory to a folder (M18)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import eigenshrink as es
from cli_runs import check_schema, result_of, run
from eigenshrink.networks.demo import digits, network

FACTORY = """
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    X = torch.randn(60, 4, dtype=torch.float64)
    y = X[:, :1] - X[:, 1:2] + 0.3 * torch.randn(60, 1, dtype=torch.float64)
    model = nn.Linear(4, 1, dtype=torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(X[:40]), y[:40]).backward()
        optimizer.step()
    return dict(model=model, loss=nn.MSELoss(), loader=(X[:40], y[:40]), val_loader=(X[40:], y[40:]),
                optimizer=optimizer)

def as_tuple():
    parts = make()
    return parts["model"], parts["loss"], parts["loader"]

def nothing():
    return 3

def half():
    return {"model": make()["model"], "loss": nn.MSELoss()}

def more():
    return {**make(), "scheduler": 1}

def broken():
    raise RuntimeError("no data here")

constant = 1
"""


@pytest.fixture
def train(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(FACTORY, encoding="utf-8")
    (tmp_path / "wrong.py").write_text("def make(:", encoding="utf-8")
    return tmp_path


def test_a_factory_becomes_a_folder(train, capsys):
    code, out, err = run(capsys, "network", "train:make", "--output", "result")
    assert (code, err) == (0, "")
    assert "weight_decay" in out
    folder = train / "result"
    names = {"report.html", "result.json", "study.safetensors", "weights.safetensors"}
    assert {path.name for path in folder.iterdir()} == names
    result = result_of(folder)
    check_schema(result)
    assert result["alpha"]["criterion"] == "validation"
    study = es.load(folder / "study.safetensors")
    assert study.alpha == result["alpha"]["chosen"]
    from safetensors.torch import load_file

    weights = load_file(folder / "weights.safetensors")
    flat = torch.cat([weights["weight"].flatten(), weights["bias"]]).numpy()
    assert flat == pytest.approx(study.coef(), rel=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        ["train.py:make"],
        ["train:as_tuple", "--weight-decay", "0.05"],
        ["train:make", "--alpha", "0.1", "--curvature", "hessian"],
        ["train:make", "--criterion", "evidence", "--tolerance", "0.1", "--strict"],
    ],
)
def test_other_ways_to_ask(train, capsys, options):
    code, out, err = run(capsys, "network", *options)
    assert (code, err) == (0, "")
    assert (train / "out" / options[0].rpartition(":")[2] / "report.html").exists()
    if "--alpha" in options:
        assert "0.1" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["train"], "no MODULE:FACTORY"),
        (["nowhere:make"], "there is no module 'nowhere'"),
        (["nowhere.py:make"], "there is no file nowhere.py"),
        (["train:mak"], "no function 'mak'; it has"),
        (["train:constant"], "no function 'constant'"),
        (["train:nothing"], "gave a int"),
        (["train:half"], "did not give 'loader'"),
        (["train:more"], "gave 'scheduler'"),
        (["train:as_tuple"], "neither of weight_decay and optimizer"),
        (["train:make", "--alpha", "much"], "--alpha must be auto or a number"),
        (["train:make", "--curvature", "fisher"], "fisher"),
        (["train:make", "--weight-decay", "-1"], "--weight-decay"),
        (["train:broken"], "train:broken raised RuntimeError: no data here; --debug shows where"),
        (["wrong.py:make"], "wrong.py raised SyntaxError"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_no_folder(train, capsys, options, words):
    code, out, err = run(capsys, "network", *options, "--output", "result")
    assert code == 2
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert not (train / "result").exists()


def test_the_demo_trains_for_real_and_finds_what_training_again_finds(tmp_path, capsys):
    code, _, err = run(capsys, "demo", "network", "--output", tmp_path / "demo")
    assert (code, err) == (0, "")
    result = result_of(tmp_path / "demo")
    check_schema(result)
    assert result["alpha"]["chosen"] < 0.003  # less decay than it was trained with
    assert result["alpha"]["chosen"] == result["trusted"][0]  # and as little as can be told from here
    assert result["alpha"]["boundary"] == "trusted"


def test_the_network_of_the_demo_is_what_its_docstring_says():
    before = torch.get_rng_state()
    parts = digits()
    assert torch.equal(torch.get_rng_state(), before)
    assert sum(weight.numel() for weight in network().parameters()) == 1210
    rows = [len(parts[name].dataset) for name in ("loader", "val_loader")]
    assert rows == [1200, 597]
    model, (X, y) = parts["model"], parts["val_loader"].dataset.tensors
    assert np.mean((model(X).argmax(1) == y).numpy()) > 0.95
