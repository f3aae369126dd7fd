"""Nothing of a model is changed by looking at it, also when something fails."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import network_models as models
from eigenshrink.networks.state import Dice, undisturbed
from network_models import look, switches


class Failure(Exception):
    pass


def mixed():
    """A network in training with one part in evaluation mode, some weights frozen, gradients collected."""
    case = models.cnn()
    case.model.train()
    case.model[1].eval()
    case.model[0].weight.requires_grad_(False)
    case.loss(case.model(case.X), case.y).backward()
    return case


def disturb(case):
    """Everything that a computation may do to a model."""
    model = case.model
    model.train()
    case.loss(model(case.X), case.y).backward()
    model.requires_grad_(True)
    model[1].running_mean = model[1].running_mean + 1.0  # another tensor
    model[1].running_var.mul_(2.0)
    torch.rand(3)
    random.random()


@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_as_before(fails):
    case = mixed()
    before = look(case.model)
    with suppress(Failure), undisturbed(case.model):
        disturb(case)
        if fails:
            raise Failure
    assert look(case.model) == before


def test_an_error_is_passed_on():
    case = models.mlp()
    with pytest.raises(Failure), undisturbed(case.model):
        raise Failure


def test_look_sees_every_disturbance():
    """The tests above can fail."""
    case = mixed()
    before = look(case.model)
    disturb(case)
    after = look(case.model)
    for part in ("modes", "buffers", "wanted", "gradients", "random"):
        assert before[part] != after[part], part


def test_evaluation_mode_inside_for_every_part():
    case = mixed()
    with undisturbed(case.model):
        assert not any(module.training for module in case.model.modules())
        assert all(weight.grad is None for weight in case.model.parameters())


def test_modules_that_act_on_a_change_of_mode_are_told():
    class Merging(nn.Linear):
        merged = False

        def train(self, mode=True):
            self.merged = not mode
            return super().train(mode)

    model = Merging(2, 2)
    with undisturbed(model):
        assert model.merged
    assert not model.merged
    assert model.training
    model.eval()
    with undisturbed(model):
        assert model.merged
    assert model.merged


@pytest.mark.parametrize("outside", [torch.no_grad, torch.inference_mode])
def test_gradients_can_be_taken_inside_whatever_is_off_outside(outside):
    case = models.mlp()
    with outside(), undisturbed(case.model):
        weights = [w.detach().clone().requires_grad_() for w in case.model.parameters()]
        names = [name for name, _ in case.model.named_parameters()]
        output = torch.func.functional_call(case.model, dict(zip(names, weights, strict=True)), (case.X,))
        assert torch.autograd.grad(output.sum(), weights)[0].abs().sum() > 0


def test_autocast_is_off_inside():
    case = models.mlp(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert case.model(case.X).dtype == torch.bfloat16
        with undisturbed(case.model):
            assert case.model(case.X).dtype == torch.float32
        assert case.model(case.X).dtype == torch.bfloat16


def test_attention_has_second_derivatives_inside():
    case = models.transformer()
    with undisturbed(case.model):
        weights = dict(case.model.named_parameters())
        vectors = {name: torch.ones_like(value) for name, value in weights.items()}

        def loss(values):
            return case.loss(torch.func.functional_call(case.model, values, (case.X,)), case.y)

        slope = torch.func.jvp(torch.func.grad(loss), (weights,), (vectors,))[1]
    assert all(bool(torch.isfinite(value).all()) for value in slope.values())


def test_the_fast_path_of_encoders_is_off_inside():
    with models.drawn(0):
        model = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dropout=0.0).double().eval()
        x = torch.randn(3, 5, 4, dtype=torch.float64)
    before = torch.backends.mha.get_fastpath_enabled()
    with undisturbed(model):
        assert torch.func.jvp(model, (x,), (torch.ones_like(x),))[1].shape == x.shape
        assert not torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.mha.get_fastpath_enabled() == before


def test_float32_is_not_rounded_inside():
    model = models.mlp().model
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    try:
        before = switches()
        with undisturbed(model):
            assert not torch.backends.cuda.matmul.allow_tf32
            assert not torch.backends.cudnn.allow_tf32
            assert torch.get_float32_matmul_precision() == "highest"
        assert switches() == before
        assert torch.backends.cuda.matmul.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_the_newer_switches_come_back_too():
    place = torch.backends.cuda.matmul
    before = place.fp32_precision
    place.fp32_precision = "tf32"
    try:
        with undisturbed(models.mlp().model):
            assert place.fp32_precision == "ieee"
        assert place.fp32_precision == "tf32"
    finally:
        place.fp32_precision = before


def test_looks_may_be_nested():
    case = mixed()
    before = look(case.model)
    with undisturbed(case.model):
        with undisturbed(case.model):
            F.dropout(case.X)
        assert not case.model.training
    assert look(case.model) == before


def test_dice_draw_their_own_numbers_and_go_on():
    before = torch.get_rng_state()
    dice, whole = Dice(3), torch.rand(4, generator=torch.Generator().manual_seed(3))
    drawn = []
    for _ in range(4):
        with dice:
            drawn.append(torch.rand(()).item())
            random.random()
        torch.set_rng_state(before)
    assert drawn == pytest.approx(whole.tolist())
    with dice:
        pass
    assert torch.equal(torch.get_rng_state(), before)
