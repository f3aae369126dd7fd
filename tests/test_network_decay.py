"""Groups with and without decay; what an optimiser's decay stands for, with the differences of M3 shown."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import eigenshrink.networks as en
from eigenshrink.errors import InputError
from eigenshrink.networks.decay import param_groups, read_decay
from eigenshrink.networks.parameters import Parameters


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 2))


def names(groups):
    return [(group["weight_decay"], group["param_names"]) for group in groups]


# --- groups -------------------------------------------------------------------------------------------


def test_the_usual_is_left_out():
    assert names(param_groups(model(), 0.1)) == [
        (0.1, ["0.weight", "2.weight"]),
        (0.0, ["0.bias", "1.weight", "1.bias", "2.bias"]),
    ]
    assert names(param_groups(model(), 0.1, exclude=())) == [
        (0.1, [n for n, _ in model().named_parameters()])
    ]
    assert names(param_groups(model(), 0.1, exclude=nn.Module))[0][0] == 0.0


def test_every_kind_of_norm_and_bias_is_known():
    class LlamaRMSNorm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

    net = nn.ModuleDict(
        {
            "batch": nn.BatchNorm2d(4), "group": nn.GroupNorm(2, 4), "rms": nn.RMSNorm(4),
            "instance": nn.InstanceNorm1d(4, affine=True), "llama": LlamaRMSNorm(),
            "attention": nn.MultiheadAttention(4, 2), "lstm": nn.LSTM(4, 4), "embed": nn.Embedding(5, 4),
            "norm": nn.Linear(4, 4),
        }
    )  # fmt: skip
    (_, decayed), (_, plain) = names(param_groups(net, 0.1))
    assert set(decayed) == {
        "attention.in_proj_weight", "attention.out_proj.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0",
        "embed.weight",
    }  # fmt: skip
    assert {"attention.in_proj_bias", "lstm.bias_ih_l0", "llama.weight", "rms.weight"} <= set(plain)
    assert "norm.weight" in plain  # a module that is called so
    (_, fewer), _ = names(param_groups(net, 0.1, ("bias", "norm", nn.Embedding, "lstm")))
    assert set(fewer) == {"attention.in_proj_weight", "attention.out_proj.weight"}


def test_tied_weights_are_in_once_and_frozen_ones_not():
    net = nn.ModuleDict({"embed": nn.Embedding(5, 4), "head": nn.Linear(4, 5), "frozen": nn.Linear(2, 2)})
    net["head"].weight = net["embed"].weight
    net["frozen"].requires_grad_(False)
    assert names(param_groups(net, 0.1)) == [(0.1, ["embed.weight"]), (0.0, ["head.bias"])]
    (left_out,) = names(param_groups(net, 0.1, ("bias", nn.Embedding)))
    assert left_out == (0.0, ["embed.weight", "head.bias"])
    net.requires_grad_(False)
    with pytest.raises(InputError, match="nothing to train"):
        param_groups(net, 0.1)


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW, torch.optim.RMSprop])
def test_any_optimiser_takes_the_groups(kind):
    net = model()
    optimizer = kind(param_groups(net, 0.1), lr=0.1)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
    again = kind(param_groups(net, 0.3), lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    assert again.param_groups[0]["weight_decay"] == 0.1


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_bad_strengths_are_refused(bad):
    with pytest.raises(InputError, match="weight_decay"):
        param_groups(model(), bad)


# --- reading ------------------------------------------------------------------------------------------


def read(make, net=None):
    net = model() if net is None else net
    return read_decay(make(net), Parameters.of(net))


def test_groups_become_factors_relative_to_the_largest():
    def make(net):
        groups = [
            {"params": net[2].parameters(), "weight_decay": 0.2},
            {"params": net[0].parameters(), "weight_decay": 0.05},
            {"params": net[1].parameters(), "weight_decay": 0.0},
        ]
        return torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)

    decay = read(make)
    assert (decay.alpha0, decay.kind, decay.note, decay.unit_factor) == (0.2, "coupled", "", 1.0)
    assert decay.penalty_factor.tolist() == [0.25] * 15 + [0.0] * 6 + [1.0] * 8


def test_without_decay_nothing_is_known_of_factors():
    decay = read(lambda net: torch.optim.SGD(net.parameters(), lr=0.1))
    assert (decay.alpha0, decay.kind) == (0.0, "coupled")
    assert decay.penalty_factor.tolist() == [1.0] * 29


@pytest.mark.parametrize("name", ["Adam", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad", "Adadelta"])
def test_rescaled_gradients_are_coupled_with_a_note(name):
    kind = getattr(torch.optim, name)
    decay = read(lambda net: kind(param_groups(net, 0.1), lr=0.1))
    assert (decay.alpha0, decay.kind) == (0.1, "coupled")
    assert name in decay.note
    assert "minibatches" in decay.note
    assert decay.penalty_factor.tolist() == [1.0] * 12 + [0.0] * 9 + [1.0] * 6 + [0.0] * 2


@pytest.mark.parametrize("name", ["AdamW", "Adam", "NAdam", "RAdam", "Adafactor"])
def test_decay_beside_rescaled_gradients_has_no_strength(name):
    options = {} if name in ("AdamW", "Adafactor") else {"decoupled_weight_decay": True}
    kind = getattr(torch.optim, name)
    decay = read(lambda net: kind(param_groups(net, 0.1), lr=0.1, **options))
    assert decay.kind == "adamw"
    assert math.isnan(decay.alpha0)
    assert math.isnan(decay.unit_factor)
    assert name in decay.note
    assert set(decay.penalty_factor) == {0.0, 1.0}
    without = read(lambda net: kind(net.parameters(), lr=0.1, weight_decay=0.0, **options))
    assert (without.alpha0, without.kind) == (0.0, "coupled")


def test_asgd_decays_by_two_numbers():
    decay = read(lambda net: torch.optim.ASGD(net.parameters(), lr=0.1, lambd=0.02, weight_decay=0.1))
    assert decay.alpha0 == pytest.approx(0.12)


class SGDW(torch.optim.Optimizer):
    """As libraries write it: decay beside the momentum."""

    def __init__(self, params, lr, momentum=0.0, dampening=0.0, weight_decay=0.0):
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for w in group["params"]:
                state = self.state[w]
                slope = w.grad.clone()
                if "buffer" in state:
                    slope = group["momentum"] * state["buffer"] + (1 - group["dampening"]) * slope
                state["buffer"] = slope
                w.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * slope)


class Lion(torch.optim.SGD):
    """A step of its own."""

    def step(self, closure=None):
        return None


class Renamed(torch.optim.SGD):
    """The step of SGD."""


def test_other_peoples_optimisers():
    assert read(lambda net: Renamed(net.parameters(), 0.1, weight_decay=0.3)).alpha0 == 0.3
    assert read(lambda net: Lion(net.parameters(), 0.1)).alpha0 == 0.0
    with pytest.raises(InputError, match=r"how Lion applies its weight_decay of 0.3 .*give weight_decay="):
        read(lambda net: Lion(net.parameters(), 0.1, weight_decay=0.3))

    def hooked(net):
        optimizer = Lion(net.parameters(), 0.1)
        en.L2Hook(optimizer, 0.3)
        return optimizer

    assert read(hooked).alpha0 == 0.3


def test_a_hook_is_read_too():
    def make(net):
        groups = [{"params": net[2].parameters(), "l2": 0.2}, {"params": net[:2].parameters(), "l2": 0.1}]
        optimizer = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.0)
        en.L2Hook(optimizer, "l2", "norm", model=net)
        return optimizer

    decay = read(make)
    assert (decay.alpha0, decay.kind, decay.unit_factor) == (0.2, "coupled", 1.0)
    assert decay.penalty_factor.tolist() == [0.5] * 15 + [0.0] * 6 + [1.0] * 8
    assert "minibatches" in decay.note


def test_tied_and_frozen_parameters_are_found():
    net = model()
    net[0].requires_grad_(False)
    assert len(read(lambda net: torch.optim.SGD(net.parameters(), 0.1), net).penalty_factor) == 14
    tied = nn.ModuleDict({"embed": nn.Embedding(5, 4), "head": nn.Linear(4, 5, bias=False)})
    tied["head"].weight = tied["embed"].weight
    assert read(lambda net: torch.optim.SGD(net.parameters(), 0.1, weight_decay=0.1), tied).alpha0 == 0.1
    tied["head"].weight = nn.Parameter(tied["embed"].weight.data)  # another name of the same numbers
    late = read(lambda net: torch.optim.SGD([net["head"].weight], 0.1, weight_decay=0.1), tied)
    assert late.penalty_factor.tolist() == [1.0] * 20
    with pytest.raises(InputError, match=r"shape \(5, 4\) twice, in groups 0 and 0"):
        read(lambda net: torch.optim.SGD(net.parameters(), 0.1, weight_decay=0.1), tied)


REFUSED = {
    "missing": (lambda net: torch.optim.SGD(net[1:].parameters(), 0.1), "not hold 0.weight and 1 more"),
    "ascent": (lambda net: torch.optim.SGD(net.parameters(), 0.1, maximize=True), "maximize=True in group 0"),
    "no optimiser": (lambda net: net, "optimizer is a Sequential.*weight_decay="),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_in_words(make, message):
    with pytest.raises(InputError, match=message):
        read(make)


# --- what M3 says of each optimiser, on least squares where the answer is known ------------------------


class Least:
    """Half mean squared error of a linear layer: a quadratic, whose minimiser of M1 is solved for."""

    def __init__(self, rare=False):
        made = np.random.default_rng(11)
        X, noise = made.normal(size=(64, 4)) * [2.0, 1.0, 0.5, 0.3], made.normal(size=64)
        if rare:  # a column that two rows have, and few large errors
            X[:, 3], noise = [2.0] * 2 + [0.0] * 62, made.exponential(size=64) ** 2
        self.X, self.y = torch.tensor(X), torch.tensor(X @ [1.0, -1.0, 2.0, 3.0] + noise)
        self.H, self.b = X.T @ X / 64, X.T @ self.y.numpy() / 64

    def solved(self, alpha):
        return np.linalg.solve(self.H + alpha * np.eye(4), self.b)

    def trained(self, make, steps=3000, batch=64, settle=False):
        """Mean weights of the last epochs, each of which sees every row once; α₀ as it is read."""
        torch.manual_seed(0)
        net = nn.Linear(4, 1, bias=False).double()
        optimizer = make(net.parameters())
        rate = optimizer.param_groups[0]["lr"]
        order, last = torch.Generator().manual_seed(1), []
        for epoch in range(steps * batch // 64):
            optimizer.param_groups[0]["lr"] = rate * 0.995 ** max(0, epoch - steps // 2) if settle else rate
            for rows in torch.randperm(64, generator=order).split(batch):
                optimizer.zero_grad()
                (0.5 * (net(self.X[rows])[:, 0] - self.y[rows]).square().mean()).backward()
                optimizer.step()
                last.append(net.weight.detach().numpy()[0].copy())
        kept = last[-1:] if batch == 64 else last[len(last) // 2 :]
        return np.mean(kept, axis=0), read_decay(optimizer, Parameters.of(net))

    def distance(self, weights, alpha):
        """From the minimiser of M1, relative to it."""
        return float(np.linalg.norm(weights - self.solved(alpha)) / np.linalg.norm(self.solved(alpha)))


LEAST, WD = Least(), 0.1


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_decay_beside_momentum_stops_at_less(momentum):
    weights, decay = LEAST.trained(lambda w: SGDW(w, 0.05, momentum, weight_decay=WD))
    assert decay.kind == "decoupled"
    assert decay.alpha0 == pytest.approx(WD * (1 - momentum))
    assert decay.unit_factor == pytest.approx(1 / (1 - momentum))
    assert LEAST.distance(weights, decay.alpha0) < 1e-9
    assert (LEAST.distance(weights, WD) < 1e-9) == (momentum == 0.0)
    assert "1−μ" in decay.note


def test_dampening_of_momentum_counts():
    weights, decay = LEAST.trained(lambda w: SGDW(w, 0.05, 0.9, 0.5, weight_decay=WD))
    assert decay.alpha0 == pytest.approx(0.2 * WD)
    assert LEAST.distance(weights, decay.alpha0) < 1e-9


@pytest.mark.parametrize("dampening", [0.0, 0.5])
def test_sgd_with_momentum_stops_at_its_decay(dampening):
    weights, decay = LEAST.trained(lambda w: torch.optim.SGD(w, 0.05, 0.9, dampening, weight_decay=WD))
    assert LEAST.distance(weights, decay.alpha0) < 1e-9
    assert decay.alpha0 == WD


def test_adam_shares_the_fixed_point_in_full_batch():
    weights, decay = LEAST.trained(lambda w: torch.optim.Adam(w, 0.05, weight_decay=WD), settle=True)
    assert LEAST.distance(weights, decay.alpha0) < 1e-6


def test_on_minibatches_adam_stops_elsewhere_if_it_forgets_fast():
    problem, full = Least(rare=True), {"batch": 64, "settle": True}

    def distance(kind, betas=None, batch=2, **how):
        options = {} if betas is None else {"betas": betas}

        def make(w):
            return kind(w, 0.01, weight_decay=WD, **options)

        return problem.distance(problem.trained(make, 6000, batch, **how)[0], WD)

    assert distance(torch.optim.Adam, (0.9, 0.9), **full) < 1e-6
    assert distance(torch.optim.Adam, (0.9, 0.9)) > 0.08
    assert distance(torch.optim.SGD) < 0.005
    assert distance(torch.optim.Adam) < 0.005  # β₂ = 0.999
    assert 0.005 < distance(torch.optim.RMSprop) < 0.03


def test_adamw_does_not_minimise_the_penalised_loss():
    """It stays almost where there is no penalty at all (M3)."""
    weights, decay = LEAST.trained(lambda w: torch.optim.AdamW(w, 0.05, weight_decay=WD), settle=True)
    assert decay.kind == "adamw"
    assert LEAST.distance(weights, WD) > 0.6
    assert LEAST.distance(weights, 0.0) < 0.02


def test_asgd_stops_at_the_sum():
    def make(w):
        return torch.optim.ASGD(w, 0.05, lambd=0.04, alpha=0.0, weight_decay=0.06)

    weights, decay = LEAST.trained(make)
    assert decay.alpha0 == pytest.approx(0.1)
    assert LEAST.distance(weights, decay.alpha0) < 1e-9
