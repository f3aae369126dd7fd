"""Which loss is meant, and which shapes belong to it."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import network_models as models
from eigenshrink.errors import InputError
from eigenshrink.networks.losses import LOSSES, find_loss
from eigenshrink.networks.losses.base import NetLoss
from eigenshrink.networks.losses.next_token import NextToken
from network_outputs import DATA, WEIGHT, C, N, closed, dense

# --- finding -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (F.cross_entropy, "cross_entropy"),
        (partial(F.cross_entropy, weight=WEIGHT, label_smoothing=0.1, reduction="mean"), "cross_entropy"),
        (F.mse_loss, "mse"),
        (F.binary_cross_entropy_with_logits, "bce_with_logits"),
        (partial(F.poisson_nll_loss, log_input=False), "poisson_nll"),
        (F.gaussian_nll_loss, "gaussian_nll"),
        (nn.NLLLoss(), "cross_entropy"),
        (F.smooth_l1_loss, "smooth_l1_loss"),
        (nn.HuberLoss(), "HuberLoss"),
        (partial(F.mse_loss, weight=WEIGHT), "partial"),
    ],
)
def test_losses_are_found_by_what_they_are(loss, name):
    found = find_loss(loss)
    assert found.house.name == name
    assert not found.house.convex
    assert found.house.unit
    assert find_loss(found) is found


def test_options_are_taken_over():
    found = find_loss(partial(F.cross_entropy, weight=WEIGHT, label_smoothing=0.1))
    assert found.label_smoothing == 0.1
    assert found.weight is WEIGHT
    assert find_loss(nn.CrossEntropyLoss(ignore_index=7)).ignore_index == 7
    assert find_loss(nn.PoissonNLLLoss(log_input=False)).log_input is False
    assert find_loss(nn.GaussianNLLLoss(eps=0.1)).eps == 0.1


def test_every_loss_in_the_list_has_a_module_and_a_function():
    assert all(issubclass(known, NetLoss) and known.modules and known.functions for known in LOSSES)


def test_a_subclass_that_computes_something_else_is_taken_as_it_is():
    class Same(nn.MSELoss):
        pass

    class Doubled(nn.MSELoss):
        def forward(self, output, target):
            return 2.0 * super().forward(output, target)

    assert find_loss(Same()).house.name == "mse"
    output, target = DATA["numbers"]
    found = find_loss(Doubled())
    assert found.house.name == "Doubled"
    assert found.rows(output, target).mean == pytest.approx(2 * F.mse_loss(output, target).item())


def test_log_probabilities_are_cross_entropy():
    logits, labels = DATA["labels"]
    module = nn.NLLLoss(weight=WEIGHT)
    shares = logits.log_softmax(1)
    rows = find_loss(module).rows(shares, labels)
    assert rows.mean == pytest.approx(module(shares, labels).item(), rel=1e-13)


@pytest.mark.parametrize("reduction", ["sum", "none"])
@pytest.mark.parametrize("kind", [nn.CrossEntropyLoss, nn.MSELoss, nn.L1Loss])
def test_sums_are_refused_with_what_to_use(kind, reduction):
    with pytest.raises(InputError, match=f"reduction='{reduction}'.*weight_decay divided by the rows"):
        find_loss(kind(reduction=reduction))
    with pytest.raises(InputError, match=f"reduction='{reduction}'"):
        find_loss(partial(F.mse_loss, reduction=reduction))


def test_what_cannot_be_called_is_refused():
    for loss in ("mse", None):
        with pytest.raises(InputError, match=r"give a module of torch.nn or a function of"):
            find_loss(loss)


# --- shapes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [nn.MSELoss(), nn.BCEWithLogitsLoss(), nn.PoissonNLLLoss()])
def test_shapes_that_pytorch_would_stretch_are_refused(module):
    output = torch.zeros(N, 1)
    with pytest.raises(InputError, match=r"\(13, 1\) for a target of shape \(13,\).*target.unsqueeze\(-1\)"):
        find_loss(module).arrange(output, torch.zeros(N))


@pytest.mark.parametrize("target", [torch.zeros(N, 1, dtype=torch.long), torch.zeros(N)])
def test_targets_that_are_no_classes_are_refused(target):
    with pytest.raises(InputError, match="cross entropy takes logits"):
        find_loss(nn.CrossEntropyLoss()).arrange(torch.zeros(N, C), target)


def test_the_gaussian_loss_needs_two_outputs():
    with pytest.raises(InputError, match=r"returns \(mean, variance\); it gives a Tensor"):
        find_loss(nn.GaussianNLLLoss()).arrange(torch.zeros(3), torch.zeros(3))


def test_classes_on_the_last_axis_are_brought_to_the_second():
    loss = find_loss(nn.CrossEntropyLoss())
    wide, labels = DATA["tokens"]
    last = wide.movedim(1, -1)
    torch.testing.assert_close(loss.arrange(last, labels), wide)
    torch.testing.assert_close(loss.arrange(models.Output(last), labels), wide)
    torch.testing.assert_close(loss.arrange({"logits": last}, labels), wide)
    square = torch.randn(2, 4, 4)  # both would fit: PyTorch's way for a tensor, transformers' for a record
    tokens = torch.zeros(2, 4, dtype=torch.long)
    torch.testing.assert_close(loss.arrange(square, tokens), square)
    torch.testing.assert_close(loss.arrange(models.Output(square), tokens), square.movedim(-1, 1))


def test_next_tokens_are_cross_entropy_of_shifted_labels():
    wide, labels = DATA["tokens"]
    labels = labels.clone()
    labels[5, 1] = -100
    loss = NextToken()
    output = loss.arrange(models.Output(wide.movedim(1, -1)), labels)
    rows = loss.rows(output, labels)
    expected = F.cross_entropy(wide[:, :, :-1], labels[:, 1:])
    assert rows.mean == pytest.approx(expected.item(), rel=1e-13)
    assert loss.observations(labels, output) == (labels[:, 1:] != -100).sum()
    torch.testing.assert_close(
        closed(loss, output, labels), dense(loss, output, labels), rtol=1e-11, atol=1e-13
    )
