"""Rows of a small network as linear functions of its weights, against automatic differentiation (M4, M14)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

import eigenshrink as es
import eigenshrink.networks as en
from eigenshrink.networks.measure import NetworkMeasure
from eigenshrink.networks.network import Network

ROWS = 12


def small(loss, target, seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    X = torch.randn(ROWS, 3, dtype=torch.float64)
    return model, loss, [(X[:7], target[:7]), (X[7:], target[7:])], X


CASES = {
    "cross entropy": (nn.CrossEntropyLoss(), torch.arange(ROWS) % 2),
    "class weights": (
        nn.CrossEntropyLoss(torch.tensor([1.0, 3.0], dtype=torch.float64)),
        torch.arange(ROWS) % 2,
    ),
    "squared": (nn.MSELoss(), torch.linspace(-1, 1, 2 * ROWS, dtype=torch.float64).reshape(ROWS, 2)),
    "binary": (nn.BCEWithLogitsLoss(), (torch.arange(2 * ROWS).reshape(ROWS, 2) % 3 > 0).double()),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_add_up_to_gradient_and_curvature(name):
    model, loss, batches, X = small(*CASES[name])
    found = NetworkMeasure.of(Network.of(model, loss), batches).linearised()
    named = {key: value.detach() for key, value in model.named_parameters()}
    parts = jacrev(lambda weights: functional_call(model, weights, (X,)))(named)
    jacobian = torch.cat([parts[key].reshape(ROWS, 2, -1) for key in named], dim=2).numpy()
    assert np.abs(found.jacobian - jacobian).max() < 1e-13
    share = found.weights / found.weights.sum()
    whole = loss(model(X), CASES[name][1])
    whole.backward()
    gradient = torch.cat([weight.grad.flatten() for weight in model.parameters()]).numpy()
    assert np.einsum("n,nt,ntp->p", share, found.slope, jacobian) == pytest.approx(gradient, abs=1e-13)
    H = en.curvature(model, loss, batches).dense
    explicit = np.einsum("n,ntp,ntu,nuq->pq", share, jacobian, found.curvature, jacobian)
    assert explicit == pytest.approx(H, abs=1e-12)


def test_moved_outputs_have_the_losses_and_slopes_of_the_loss():
    model, loss, batches, X = small(*CASES["class weights"])
    target = CASES["class weights"][1]
    found = NetworkMeasure.of(Network.of(model, loss), batches).linearised()
    change = np.random.default_rng(0).normal(size=(ROWS, 2))
    values, slopes = found.losses(change)
    outputs = (model(X).detach() + torch.from_numpy(change)).requires_grad_()
    each = nn.functional.cross_entropy(outputs, target, reduction="none")
    each.sum().backward()
    assert values == pytest.approx(each.detach().numpy(), abs=1e-13)
    assert slopes == pytest.approx(outputs.grad.numpy(), abs=1e-13)


def test_what_is_too_large_or_of_unknown_scale_has_none(monkeypatch):
    model, loss, batches, _ = small(*CASES["squared"])
    own = NetworkMeasure.of(Network.of(model, lambda output, target: (output - target).abs().mean()), batches)
    assert own.linearised() is None
    monkeypatch.setattr("eigenshrink.networks.rows.LARGEST", 10)
    assert NetworkMeasure.of(Network.of(model, loss), batches).linearised() is None


def test_leave_one_out_of_a_linear_network_is_that_of_the_table():
    """MSE is twice the house loss, so that weight decay is 2α (units table)."""
    rng = np.random.default_rng(3)
    X, alpha = rng.normal(size=(30, 4)), 0.05
    y = X @ [1.0, -1.0, 0.5, 0.0] + rng.normal(size=30)
    table = es.study(X, y, alpha=alpha, fit_intercept=False)
    model = nn.Linear(4, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(table.coef())[None])
    data = torch.from_numpy(X), torch.from_numpy(y)[:, None]
    network = en.study(model, nn.MSELoss(), data, weight_decay=2 * alpha)
    alphas = np.array([0.01, 0.05, 0.3])
    assert network.risk["loo"](2 * alphas) == pytest.approx(2 * table.risk["loo"](alphas), rel=1e-9)
    assert network.effective_parameters == pytest.approx(
        table.path.effective_parameters(network.alpha / 2), rel=1e-9
    )
