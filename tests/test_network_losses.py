"""Losses of networks against PyTorch: the whole data set as one batch is the oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from eigenshrink.errors import InputError
from eigenshrink.networks.losses import find_loss
from eigenshrink.networks.state import undisturbed
from network_outputs import COLUMNS, DATA, WEIGHT, N, T, closed, dense

CASES = {
    "ce": (nn.CrossEntropyLoss(), "labels"),
    "ce weights": (nn.CrossEntropyLoss(weight=WEIGHT), "labels"),
    "ce smooth": (nn.CrossEntropyLoss(label_smoothing=0.2), "labels"),
    "ce all": (
        nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.2, ignore_index=3),
        "labels without -100",
    ),
    "ce tokens": (nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.1), "tokens"),
    "ce soft": (nn.CrossEntropyLoss(), "soft"),
    "ce soft weights": (nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.3), "soft"),
    "ce wide soft": (nn.CrossEntropyLoss(weight=WEIGHT), "wide soft"),
    "mse": (nn.MSELoss(), "numbers"),
    "mse 1-d": (nn.MSELoss(), "one number"),
    "bce": (nn.BCEWithLogitsLoss(), "binary"),
    "bce shares": (nn.BCEWithLogitsLoss(), "shares"),
    "bce weights": (nn.BCEWithLogitsLoss(weight=COLUMNS, pos_weight=2.0 * COLUMNS), "binary"),
    "poisson": (nn.PoissonNLLLoss(), "counts"),
    "poisson full": (nn.PoissonNLLLoss(full=True), "counts"),
    "poisson mean": (nn.PoissonNLLLoss(log_input=False, eps=1e-6), "positive"),
    "gaussian": (nn.GaussianNLLLoss(), "spread"),
    "gaussian full": (nn.GaussianNLLLoss(full=True, eps=0.5), "spread"),
}
every_case = pytest.mark.parametrize("name", CASES)


def case(name):
    module, kind = CASES[name]
    if kind == "labels without -100":
        logits, labels = DATA["labels"]
        return module, logits, labels.clamp(min=0)
    return module, *DATA[kind]


def reference(module, output, target):
    """What PyTorch says of the whole."""
    if isinstance(module, nn.GaussianNLLLoss):
        return module(output[0], target, output[1])
    return module(output, target)


def pieces(output, target):
    """The rows in ragged batches, so that the mean of means is wrong."""
    for start, stop in ((0, 6), (6, 12), (12, N)):
        part = tuple(o[start:stop] for o in output) if isinstance(output, tuple) else output[start:stop]
        yield part, target[start:stop]


def arranged(name):
    module, output, target = case(name)
    loss = find_loss(module)
    return loss, loss.arrange(output, target), target


@every_case
def test_batches_add_up_to_the_loss_of_the_whole(name):
    module, output, target = case(name)
    loss = find_loss(module)
    total = counted = 0.0
    for part, labels in pieces(output, target):
        place = loss.arrange(part, labels)
        total += loss.sum(place, labels).item()
        counted += loss.denominator(labels, place)
    assert total / counted == pytest.approx(reference(module, output, target).item(), rel=1e-13)


@every_case
def test_rows_average_to_the_loss(name):
    module, output, target = case(name)
    loss = find_loss(module)
    rows = loss.rows(loss.arrange(output, target), target)
    assert rows.values.shape == rows.weights.shape == (N,)
    assert rows.mean == pytest.approx(reference(module, output, target).item(), rel=1e-13)


def test_the_mean_of_batch_means_is_not_the_loss():
    """The tests above can fail."""
    module, output, target = case("ce weights")
    means = [module(part, labels).item() for part, labels in pieces(output, target)]
    assert abs(np.mean(means) / module(output, target).item() - 1) > 0.01


@every_case
def test_the_sum_has_the_gradient_of_pytorch(name):
    module, output, target = case(name)
    parts = output if isinstance(output, tuple) else (output,)
    parts = tuple(part.clone().requires_grad_() for part in parts)
    whole = parts if isinstance(output, tuple) else parts[0]
    loss = find_loss(module)
    place = loss.arrange(whole, target)
    ours = torch.autograd.grad(loss.sum(place, target) / loss.denominator(target, place.detach()), parts)
    theirs = torch.autograd.grad(reference(module, whole, target), parts)
    for one, two in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("gaussian")])
def test_the_curvature_in_the_output_is_the_second_derivative(name):
    loss, output, target = arranged(name)
    expected = dense(loss, output, target)
    torch.testing.assert_close(closed(loss, output, target), expected, rtol=1e-11, atol=1e-13)


@every_case
def test_the_curvature_in_the_output_is_symmetric_and_not_negative(name):
    loss, output, target = arranged(name)
    matrix = closed(loss, output, target)
    torch.testing.assert_close(matrix, matrix.T, rtol=0, atol=1e-14)
    values = torch.linalg.eigvalsh(matrix)
    assert values[0] > -1e-13 * values[-1]
    assert values[-1] > 0


def test_the_gaussian_curvature_is_the_expected_one():
    loss = find_loss(nn.GaussianNLLLoss())
    mean, variance = torch.tensor([0.3], dtype=torch.float64), torch.tensor([0.7], dtype=torch.float64)
    place = loss.arrange((mean, variance), mean)
    nodes, shares = np.polynomial.hermite_e.hermegauss(20)
    expected = sum(
        share * dense(loss, place, mean + math.sqrt(0.7) * node)
        for node, share in zip(nodes, shares / shares.sum(), strict=True)
    )
    torch.testing.assert_close(closed(loss, place, mean), expected, rtol=1e-12, atol=1e-12)
    observed = torch.linalg.eigvalsh(dense(loss, place, mean))
    assert observed[0] < 0  # why it is the expected one


def test_one_variance_for_several_means():
    module = nn.GaussianNLLLoss()
    (mean, variance), target = DATA["spread"]
    loss = find_loss(module)
    for one in (variance[:, :1], variance[:, 0]):
        rows = loss.rows(loss.arrange((mean, one), target), target)
        assert rows.mean == pytest.approx(module(mean, target, one).item(), rel=1e-13)


def test_rows_with_nothing_but_ignored_targets_weigh_nothing():
    loss, output, target = arranged("ce tokens")
    rows = loss.rows(output, target)
    assert rows.weights[2] == rows.values[2] == rows.wrong[2] == 0.0
    assert np.count_nonzero(rows.weights == 0) == 1


# --- counts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "weight_sum", "observations", "scale"),
    [
        ("ce", N - 2, N - 2, 1.0),
        ("ce weights", None, N - 2, 1.0),
        ("ce tokens", None, 3 * (N - 1), 1.0),
        ("ce soft weights", N, N, 1.0),
        ("mse", N * T / 2, N * T, 2 / T),
        ("bce", N * T, N * T, 1 / T),
        ("poisson", N * T, N * T, 1 / T),
        ("gaussian", N * T, N * T, 1 / T),
    ],
)
def test_counts_of_the_house(name, weight_sum, observations, scale):
    loss, output, target = arranged(name)
    if weight_sum is None:
        weight_sum = WEIGHT[target[target != -100]].sum().item()
    assert loss.weight_sum(target, output) == pytest.approx(weight_sum)
    assert loss.observations(target, output) == observations
    outputs = 1 if name.startswith("ce") else T
    assert loss.scale(outputs) == pytest.approx(scale)


def test_the_mean_square_is_the_scale_times_the_house_loss():
    loss, output, target = arranged("mse")
    house = sum(find_loss(nn.MSELoss()).house.value(target.numpy(), output.numpy()).ravel()) / N
    assert loss.rows(output, target).mean == pytest.approx(loss.scale(T) * house)
    assert loss.weight_sum(target, output) * loss.rows(output, target).mean == pytest.approx(N * house)


# --- wrong classes -------------------------------------------------------------------------------------


def test_wrong_classes_are_counted_without_ignored_ones():
    loss, output, target = arranged("ce tokens")
    wrong = loss.rows(output, target).wrong
    for i in range(N):
        known = [j for j in range(4) if target[i, j] != -100]
        share = np.mean([output[i, :, j].argmax() != target[i, j] for j in known]) if known else 0.0
        assert wrong[i] == pytest.approx(share)
    assert 0 < wrong.mean() < 1


def test_wrong_sides_of_binary_targets():
    loss, output, target = arranged("bce")
    expected = ((output > 0) != (target > 0.5)).double().mean(1)
    np.testing.assert_allclose(loss.rows(output, target).wrong, expected)
    assert arranged("mse")[0].rows(*arranged("mse")[1:]).wrong is None
    soft, logits, shares = arranged("ce soft")
    np.testing.assert_array_equal(soft.rows(logits, shares).wrong, (logits.argmax(1) != shares.argmax(1)))


# --- any callable --------------------------------------------------------------------------------------


def logcosh(output, target):
    return torch.log(torch.cosh(output - target)).mean()


def test_any_callable_is_a_mean_over_rows():
    output, target = DATA["numbers"]
    loss = find_loss(logcosh)
    assert loss.house.name == "logcosh"
    total = sum(loss.sum(part, labels).item() for part, labels in pieces(output, target))
    assert total / N == pytest.approx(logcosh(output, target).item(), rel=1e-13)
    rows = loss.rows(output, target)
    assert (rows.values.shape, rows.weights.tolist()) == ((1,), [N])
    assert np.isnan(loss.weight_sum(target, output))
    assert not loss.by_row


def test_any_callable_is_differentiated_twice():
    output, target = DATA["numbers"]
    loss = find_loss(logcosh)
    with undisturbed(nn.Linear(1, 1)):
        found = closed(loss, output, target)
    torch.testing.assert_close(found, dense(loss, output, target), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda output, target: (output - target) ** 2, r"gives \(13, 3\); it must give the mean"),
        (lambda output, target: 1.0, "gives float"),
    ],
)
def test_a_callable_that_gives_no_mean_is_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        find_loss(wrong).sum(*DATA["numbers"])


@every_case
def test_float32_outputs_are_averaged_in_float64(name):
    module, output, target = case(name)
    loss = find_loss(module)
    short = tuple(o.float() for o in output) if isinstance(output, tuple) else output.float()
    exact = tuple(o.double() for o in short) if isinstance(short, tuple) else short.double()
    rows = loss.rows(loss.arrange(short, target), target)
    assert rows.values.dtype == np.float64
    assert rows.mean == pytest.approx(reference(module, exact, target).item(), rel=1e-13)
