"""Measured losses and gradients: batches of any cut are the whole data set as one batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import network_models as models
from eigenshrink.networks.measure import NetworkMeasure, run
from eigenshrink.networks.network import Network
from eigenshrink.networks.state import undisturbed
from network_models import look

WEIGHT = torch.linspace(0.2, 2.0, 10, dtype=torch.float64)


def weighted():
    """Class weights, smoothing and ignored targets, in ragged batches whose means would mislead."""
    case = models.mlp(loss=nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.1))
    case.y = case.y.clone()
    case.y[::7] = -100
    return case


def counts():
    with models.drawn(8):
        X = torch.randn(45, 5, dtype=torch.float64)
        y = torch.poisson(torch.exp(0.3 * X[:, :2]))
        return models.Case(nn.Linear(5, 2).double(), nn.PoissonNLLLoss(full=True), X, y)


def binary():
    with models.drawn(9):
        X = torch.randn(45, 5, dtype=torch.float64)
        y = (X[:, :1] > 0.2).double()
        loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0], dtype=torch.float64))
        return models.Case(nn.Linear(5, 1).double(), loss, X, y)


ALL = (
    models.logistic, models.regression, models.cnn, models.transformer, models.tied, weighted, counts, binary,
)  # fmt: skip
every_model = pytest.mark.parametrize("make", ALL)


def whole(case, flat, network):
    """Loss and gradient of all rows as one batch, by PyTorch."""
    case.model.eval()
    names = [name for name, _ in case.model.named_parameters()]
    tensors = [tensor.requires_grad_() for tensor in network.parameters.split(flat)]
    with undisturbed(case.model):
        weights = dict(zip(names, tensors, strict=True))
        loss = case.loss(torch.func.functional_call(case.model, weights, (case.X,)), case.y)
        return loss.item(), network.parameters.join(torch.autograd.grad(loss, tensors))


@every_model
def test_ragged_batches_are_the_whole(make):
    case = make()
    network = Network.of(case.model, case.loss)
    measure = NetworkMeasure.of(network, case.loader, [(case.X[:9], case.y[:9])])
    assert len(case.y) % case.size
    rng = np.random.default_rng(0)
    flat = network.parameters.flat()
    for place in (flat, flat + 0.1 * rng.normal(size=flat.shape)):
        loss, gradient = whole(case, place, network)
        rows = measure.train(place)
        assert len(rows.values) == len(case.y)
        assert rows.mean == pytest.approx(loss, rel=1e-12)
        np.testing.assert_allclose(
            measure.train_gradient(place), gradient, rtol=0, atol=1e-12 * np.abs(gradient).max()
        )


def test_means_of_batch_means_would_be_wrong():
    """The test above can fail."""
    case = weighted()
    with undisturbed(case.model), torch.no_grad():
        means = [case.loss(case.model(x), y).item() for x, y in case.loader]
        assert abs(np.mean(means) / case.loss(case.model(case.X), case.y).item() - 1) > 1e-3


def test_judges_are_other_rows():
    case = models.mlp()
    network = Network.of(case.model, case.loss)
    measure = NetworkMeasure.of(network, case.loader, models.cut(case.X[:20], case.y[:20], 6))
    flat = network.parameters.flat()
    assert measure.judges == 20
    part = models.Case(case.model, case.loss, case.X[:20], case.y[:20])
    loss, gradient = whole(part, flat, network)
    assert measure.validation(flat).mean == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(measure.validation_gradient(flat), gradient, rtol=0, atol=1e-13)
    np.testing.assert_allclose(measure.validation(flat).values, measure.train(flat).values[:20], rtol=1e-12)
    assert NetworkMeasure.of(network, case.loader).judges == 0


def test_the_model_is_not_changed():
    case = models.cnn()
    case.model.train()
    case.loss(case.model(case.X), case.y).backward()
    network = Network.of(case.model, case.loss)
    measure = NetworkMeasure.of(network, models.shuffled(case.X, case.y), case.loader)
    flat = network.parameters.flat()
    before = look(case.model)
    for act in (measure.train, measure.validation, measure.train_gradient, measure.validation_gradient):
        act(flat + 1.0)
    assert look(case.model) == before


def test_the_model_is_not_changed_by_an_error():
    case = models.cnn()
    case.model.train()
    network = Network.of(case.model, case.loss)
    measure = NetworkMeasure.of(network, [*case.loader, (case.X[:, :, :2], case.y)])
    before = look(case.model)
    with pytest.raises(RuntimeError):
        measure.train_gradient(network.parameters.flat())
    assert look(case.model) == before


def test_rows_of_a_shuffled_loader_stand_in_one_order():
    """Differences row by row are of the same rows."""
    case = models.mlp()
    network = Network.of(case.model, case.loss)
    measure = NetworkMeasure.of(network, models.shuffled(case.X, case.y))
    flat = network.parameters.flat()
    first = measure.train(flat)
    torch.rand(5)
    np.testing.assert_array_equal(measure.train(flat).values, first.values)
    ordered = NetworkMeasure.of(network, case.loader).train(flat)
    assert not np.allclose(first.values, ordered.values)
    np.testing.assert_allclose(np.sort(first.values), np.sort(ordered.values), rtol=1e-12)


def test_wrong_classes_are_counted():
    case = models.mlp()
    network = Network.of(case.model, case.loss)
    with undisturbed(case.model), torch.no_grad():
        expected = (case.model(case.X).argmax(1) != case.y).numpy()
    rows = NetworkMeasure.of(network, case.loader).train(network.parameters.flat())
    np.testing.assert_array_equal(rows.wrong, expected)
    regression = models.regression()
    network = Network.of(regression.model, regression.loss)
    assert NetworkMeasure.of(network, regression.loader).train(network.parameters.flat()).wrong is None


def test_any_callable_is_weighed_by_rows():
    case = models.regression()
    network = Network.of(case.model, lambda output, target: F.smooth_l1_loss(output, target))
    measure = NetworkMeasure.of(network, case.loader)
    flat = network.parameters.flat()
    case.loss = F.smooth_l1_loss
    loss, gradient = whole(case, flat, network)
    rows = measure.train(flat)
    assert rows.weights.tolist() == [16, 16, 16, 2]
    assert rows.mean == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(measure.train_gradient(flat), gradient, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-5)])
def test_few_bits_are_enough(dtype, near):
    """The same weights in float64 are the reference: only the arithmetic is coarser."""
    case = models.mlp(torch.float32)
    case.model.to(dtype)
    exact = models.mlp()
    exact.model.load_state_dict(case.model.state_dict())
    network, reference = Network.of(case.model, case.loss), Network.of(exact.model, exact.loss)
    flat = network.parameters.flat()
    loss, gradient = whole(exact, flat, reference)
    measure = NetworkMeasure.of(network, case.loader)
    assert measure.train(flat).mean == pytest.approx(loss, rel=near)
    np.testing.assert_allclose(
        measure.train_gradient(flat), gradient, rtol=0, atol=near * np.abs(gradient).max()
    )


def test_frozen_weights_stay_as_they_are_and_have_no_gradient():
    case = models.mlp()
    case.model[1].requires_grad_(False)
    network = Network.of(case.model, case.loss)
    _, gradient = whole_of_all(case)
    measure = NetworkMeasure.of(network, case.loader)
    np.testing.assert_allclose(measure.train_gradient(network.parameters.flat()), gradient[136:], atol=1e-13)


def whole_of_all(case):
    again = models.mlp()
    again.model.load_state_dict(case.model.state_dict())
    network = Network.of(again.model, again.loss)
    return whole(again, network.parameters.flat(), network)


def test_tied_weights_have_the_sum_of_both_gradients():
    case = models.tied()
    network = Network.of(case.model, case.loss)
    measure = NetworkMeasure.of(network, case.loader)
    case.loss(case.model(case.X), case.y).backward()
    found = measure.train_gradient(network.parameters.flat())
    np.testing.assert_allclose(found[:28], case.model.embedding.weight.grad.numpy().ravel(), atol=1e-13)


def test_a_pass_counts_what_it_sees():
    case = weighted()
    network = Network.of(case.model, case.loss)
    with undisturbed(case.model):
        passed = run(network, network.parameters.flat(), network.batches(case.loader))
    seen = case.y[case.y != -100]
    assert (passed.batches, passed.rows, passed.observations) == (5, 70, len(seen))
    assert passed.weight_sum == pytest.approx(WEIGHT[seen].sum().item())
    assert passed.used == (True,) * 4
    assert passed.steepness >= np.linalg.norm(passed.gradient)
