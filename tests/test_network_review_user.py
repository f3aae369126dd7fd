"""What a hostile reader of the studies of networks found: each line here was wrong once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import eigenshrink.networks as en
from eigenshrink.errors import InputError
from eigenshrink.networks.losses import find_loss
from eigenshrink.risk.curve import covers
from network_models import drawn


def problem(rows: int = 60, width: int = 4, classes: int = 3, spread: float = 1.0):
    with drawn(3):
        X = torch.randn(rows, width, dtype=torch.float64)
        truth = torch.randn(width, classes, dtype=torch.float64)
        y = (X @ truth + spread * torch.randn(rows, classes, dtype=torch.float64)).argmax(1)
        return X, y, nn.Linear(width, classes, dtype=torch.float64)


def train(model: nn.Module, X: torch.Tensor, y: torch.Tensor, decay: float, steps: int = 300) -> nn.Module:
    weights = list(model.parameters())
    optimiser = torch.optim.LBFGS(
        weights, max_iter=steps, tolerance_grad=1e-12, line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        loss = F.cross_entropy(model(X), y) + 0.5 * decay * sum((w**2).sum() for w in weights)
        loss.backward()
        return loss

    optimiser.step(closure)
    return model


def found(study, check: str):
    return next(one for one in study.audit if one.check == check)


def test_the_curvature_of_a_row_that_is_fitted_well_does_not_cancel():
    logits = torch.tensor([[0.0, 30.0, -2.0]], dtype=torch.float64)
    product = find_loss(nn.CrossEntropyLoss()).middle(logits, torch.tensor([1]))
    mine = product(torch.eye(3, dtype=torch.float64)[:, None, :])[:, 0].numpy()
    p = np.exp(logits[0].numpy().astype(np.longdouble))
    p = p / p.sum()
    others = p.sum() - p  # exact where 1 − p is not
    others[1] = p[0] + p[2]
    truth = np.diag(p * others) - (1 - np.eye(3)) * np.outer(p, p)
    np.testing.assert_allclose(mine, truth.astype(np.float64), rtol=1e-12)


def test_a_network_that_separates_its_classes_without_decay_has_a_study():
    X, y, model = problem(spread=0.0)
    study = en.study(
        train(model, X, y, 0.0), nn.CrossEntropyLoss(), (X, y), val_loader=(X, y), weight_decay=0.0
    )
    assert study.spectrum.eigenvalues.min() >= 0
    assert "trained" in study.summary()


def test_an_untrained_network_is_not_called_stationary():
    X, y, model = problem()
    with torch.no_grad():
        model.weight.normal_(std=3.0, generator=torch.Generator().manual_seed(1))
    study = en.study(model, nn.CrossEntropyLoss(), (X, y), weight_decay=1e-3)
    assert found(study, "stationarity").verdict == "warn"


@pytest.mark.parametrize(
    ("interval", "edges", "all_of_it"),
    [
        ((1.0, 1.0), (1.0, 9.0), False),
        ((9.0, 9.0), (1.0, 9.0), False),
        ((1.0, 9.0), (1.0, 9.0), True),
        ((0.0, 9.0), (0.0, 9.0), True),
        ((2.0, 9.0), (1.0, 9.0), False),
        ((0.0, np.inf), (0.0, np.inf), True),
        ((0.0, 5.0), (0.0, np.inf), False),
    ],
)
def test_one_end_of_what_is_seen_is_not_all_of_it(interval, edges, all_of_it):
    assert covers(*interval, edges) is all_of_it


def test_a_sharp_optimum_at_an_end_is_not_called_flat():
    X, y, model = problem(rows=200)
    study = en.study(
        train(model, X[:40], y[:40], 1.0),
        nn.CrossEntropyLoss(),
        (X[:40], y[:40]),
        val_loader=(X, y),
        weight_decay=1.0,
    )
    high = study.choice.interval[1]
    assert study.choice.boundary == "trusted"
    assert high < 1.0, "the strength of the training is worse, and that can be seen"
    assert "the model cannot tell" not in study.summary()
    assert found(study, "flat optimum").verdict == "pass"


@pytest.mark.parametrize("model", [None, nn.Linear, "model.pt"])
def test_weights_are_written_into_models_only(model):
    X, y, right = problem()
    study = en.study(right, nn.CrossEntropyLoss(), (X, y), weight_decay=0.1, effort=en.Effort(probes=2))
    with pytest.raises(InputError, match=r"give a torch\.nn\.Module"):
        study.apply_(model, 0.1, force=True)
