"""A trained network as a fit: what is random is refused, counts are true, what is left out is said."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import network_models as models
from eigenshrink.curvature import MatrixCurvature
from eigenshrink.errors import InputError
from eigenshrink.networks.determinism import check
from eigenshrink.networks.fit import fit_network, used
from eigenshrink.networks.network import Network
from eigenshrink.networks.parameters import Parameters
from network_models import look

ALL = (models.logistic, models.mlp, models.regression, models.cnn, models.transformer, models.tied)


def fitted(case, loader=None):
    return fit_network(case.model, case.loss, loader or case.loader, models.decay(case.model))


def checked(model, loader, loss=None):
    return check(Network.of(model, loss or nn.CrossEntropyLoss()), loader)


# --- the fit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ALL)
def test_a_fit_holds_the_loss_and_the_gradient_of_the_whole(make):
    case = make()
    found = fitted(case)
    case.model.eval()
    loss = case.loss(case.model(case.X), case.y)
    loss.backward()
    gradient = [weight.grad.ravel() for weight in case.model.parameters()]
    assert found.start_loss == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(found.gradient, torch.cat(gradient).numpy(), rtol=0, atol=1e-13)
    np.testing.assert_array_equal(found.weights, found.network.parameters.flat())


def test_the_record_of_the_house():
    case = models.regression()
    found = fitted(case)
    p = len(found.weights)
    fit = found.fit(MatrixCurvature(np.eye(p)))
    assert fit.weights.shape == fit.gradient.shape == (p, 1)
    assert fit.alpha == 0.01
    np.testing.assert_array_equal(fit.penalty_factor, 1.0 + np.arange(p))
    assert fit.active.all()
    assert (fit.loss.name, fit.loss.convex, fit.loss.unit) == ("mse", False, "mean squared error")
    sample = fit.sample
    assert (sample.rows, sample.weight_sum, sample.observations) == (50, 50.0, 100.0)
    assert sample.column_mean.shape == sample.column_sd.shape == (p,)
    assert not sample.fit_intercept
    assert [layer.name for layer in found.layers] == ["0", "2"]


def test_counts_of_tokens_leave_out_the_ignored():
    sample = fitted(models.tied()).sample
    assert (sample.rows, sample.observations) == (20, 20 * 5 - 2 - 3 * 4)


def test_any_callable_has_no_sum_of_weights():
    case = models.regression()
    case.loss = F.smooth_l1_loss
    found = fitted(case)
    assert np.isnan(found.sample.weight_sum)
    assert found.sample.observations == 50
    assert found.network.loss.house.name == "smooth_l1_loss"


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_not_changed(fails):
    case = models.cnn()
    case.model.train()
    case.loss(case.model(case.X), case.y).backward()
    before = look(case.model)
    if fails:
        with pytest.raises(InputError, match="rows in one pass"):
            fitted(case, Shrinking(case))
    else:
        fitted(case)
    assert look(case.model) == before


class Shrinking:
    """Another number of rows each time."""

    def __init__(self, case):
        self.case, self.rows = case, 60

    def __iter__(self):
        self.rows -= 1
        return iter(models.cut(self.case.X[: self.rows], self.case.y[: self.rows]))


# --- left out, and said so -----------------------------------------------------------------------------


class Aside(nn.Module):
    """A head that only training uses, a frozen layer, and experts of which a batch sees one."""

    def __init__(self):
        super().__init__()
        self.frozen = nn.Linear(16, 16).requires_grad_(False)
        self.experts = nn.ModuleList([nn.Linear(16, 10), nn.Linear(16, 10)])
        self.aside = nn.Linear(16, 10)

    def forward(self, x):
        x = torch.tanh(self.frozen(x.flatten(1)))
        out = self.experts[int(len(x) < 16)](x)
        return out + self.aside(x) if self.training else out


def test_unused_weights_are_left_out_and_named():
    case = models.mlp()
    case.model = Aside().double()
    found = fitted(case)
    assert found.network.parameters.names == (
        "experts.0.weight", "experts.0.bias", "experts.1.weight", "experts.1.bias",
    )  # fmt: skip
    assert len(found.weights) == len(found.gradient) == len(found.penalty_factor) == 340
    np.testing.assert_array_equal(found.penalty_factor, 1.0 + np.arange(340))
    assert "170 weights in 'aside.weight', 'aside.bias': no gradient reaches them" in found.notes[0]
    assert "272 weights in 'frozen.weight', 'frozen.bias' are frozen" in found.notes[1]


def test_factors_follow_the_weights_that_stay():
    class First(Aside):
        def __init__(self):
            super().__init__()
            self.experts, self.aside = None, nn.Linear(16, 10)
            self.head = nn.Linear(16, 10)

        def forward(self, x):
            return self.head(self.frozen(x.flatten(1)))

    case = models.mlp()
    case.model = First().double()
    found = fitted(case)
    np.testing.assert_array_equal(found.penalty_factor, 171.0 + np.arange(170))


def test_a_loss_without_any_weight_is_refused():
    class Nothing(nn.Linear):
        def forward(self, x):
            return x.flatten(1)[:, :10]

    with pytest.raises(InputError, match="no trainable weights: every parameter is frozen or unused"):
        fitted(models.Case(Nothing(2, 2).double(), nn.CrossEntropyLoss(), *models.digits()))


def test_a_weight_with_gradient_zero_is_used():
    case = models.mlp()
    with torch.no_grad():
        case.model[3].weight.zero_()
    passed = checked(case.model, case.loader)
    assert not passed.gradient[:136].any()
    assert used(Parameters.of(case.model), passed)[0] == Parameters.of(case.model).names


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (models.tied, "'embedding.weight' and 'head.weight' are the same weights and count once"),
        (models.cnn, "batch normalisation uses its running statistics"),
        (models.cnn, "dropout is off"),
    ],
)
def test_what_differs_from_training_is_said(make, words):
    assert any(words in note for note in fitted(make()).notes)


def test_weights_of_16_bits_are_named():
    case = models.mlp(torch.float32)
    case.model.bfloat16()
    assert fitted(case).notes == ("weights of 16 bits are computed with in float32",)
    assert fitted(models.mlp()).notes == ()


# --- the model's own loss ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("shift", "name"), [(True, "next_token"), (False, "cross_entropy")])
def test_a_loss_that_the_model_computes_is_recognised(shift, name, dtype):
    model, loader = models.tokens(shift)
    found = fit_network(model.to(dtype), None, loader, models.decay(model))
    assert found.network.loss.house.name == name
    ids, labels = (torch.cat([batch[key] for batch in loader]) for key in ("input_ids", "labels"))
    expected = model.double()(ids, labels).loss.item()
    near = 1e-12 if dtype == torch.float64 else 1e-5
    assert found.start_loss == pytest.approx(expected, rel=near)


def test_a_loss_that_the_model_computes_otherwise_is_refused():
    class Odd(models.Tokens):
        def forward(self, input_ids, labels):
            out = super().forward(input_ids, labels)
            return models.Output(out.logits, 2.0 * out.loss)

    _, loader = models.tokens()
    model = Odd().double()
    with pytest.raises(InputError, match=r"none of cross entropy.*function of \(logits, labels\)"):
        fit_network(model, None, loader, models.decay(model))
    case = models.mlp()
    with pytest.raises(InputError, match="this one gives none; give loss="):
        fit_network(case.model, None, case.loader, models.decay(case.model))


def test_a_loss_given_for_logits_goes_before_that_of_the_model():
    model, loader = models.tokens()
    found = fit_network(model, nn.CrossEntropyLoss(label_smoothing=0.1), loader, models.decay(model))
    assert found.network.loss.label_smoothing == 0.1
    assert found.sample.observations == 86
