"""One term added before any optimiser's step: what torch's own decay gives, and where it is refused (M3)."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import eigenshrink.networks as en
from eigenshrink.errors import InputError
from eigenshrink.networks.hook import attached

ALPHA = 0.05
ROUNDING = 1e-11  # after 25 steps, each of which magnifies the rounding of the one before


def network(dtype=torch.float64):
    torch.manual_seed(3)
    layers = [nn.Linear(4, 6), nn.LayerNorm(6), nn.Tanh(), nn.Linear(6, 3)]
    return nn.Sequential(*layers).to(dtype)


def rows(dtype=torch.float64, n=20):
    made = torch.Generator().manual_seed(5)
    X = torch.randn(n, 4, generator=made, dtype=torch.float64).to(dtype)
    return X, torch.randint(0, 3, (n,), generator=made)


def train(model, optimizer, steps=25, closure=False, each=lambda step: None):
    X, y = rows(next(model.parameters()).dtype)

    def evaluate():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        return loss

    for step in range(steps):
        each(step)
        if closure:
            optimizer.step(evaluate)
        else:
            evaluate()
            optimizer.step()
    return flat(model)


def flat(model):
    return torch.cat([w.detach().double().ravel() for w in model.parameters()]).numpy()


def apart(ours, theirs):
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def both_ways(make, decay=ALPHA, dtype=torch.float64, **how):
    """Weights of the same training with a hook and with torch's own decay."""
    hooked, own = network(dtype), network(dtype)
    optimizer = make(hooked.parameters(), weight_decay=0.0)
    en.L2Hook(optimizer, decay)
    return train(hooked, optimizer, **how), train(own, make(own.parameters(), weight_decay=decay), **how)


def sgd(**options):
    return lambda weights, weight_decay: torch.optim.SGD(weights, 0.3, weight_decay=weight_decay, **options)


SGDS = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "dampening": {"momentum": 0.9, "dampening": 0.5},
    "foreach": {"momentum": 0.9, "foreach": True},
    "fused": {"momentum": 0.9, "fused": True},
}


@pytest.mark.parametrize("options", SGDS.values(), ids=SGDS)
@pytest.mark.parametrize("closure", [False, True], ids=["", "closure"])
def test_sgd_with_the_hook_is_sgd_with_weight_decay(options, closure):
    ours, theirs = both_ways(sgd(**options), closure=closure, steps=1)
    assert apart(ours, theirs) < 4e-16
    ours, theirs = both_ways(sgd(**options), closure=closure)
    assert apart(ours, theirs) < ROUNDING
    without = network()
    assert apart(train(without, sgd(**options)(without.parameters(), 0.0)), theirs) > 1e-2


@pytest.mark.parametrize("name", ["Adam", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad", "Adadelta"])
def test_optimisers_that_rescale_gradients_get_the_same_term(name):
    kind = getattr(torch.optim, name)
    ours, theirs = both_ways(lambda weights, weight_decay: kind(weights, 0.01, weight_decay=weight_decay))
    assert apart(ours, theirs) < 1e-9  # they divide by roots of gradients, which magnifies rounding


def test_adamw_without_its_decay_becomes_adam_with_the_penalty():
    model, other = network(), network()
    optimizer = torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.0)
    en.L2Hook(optimizer, ALPHA)
    adam = torch.optim.Adam(other.parameters(), 0.01, weight_decay=ALPHA)
    assert apart(train(model, optimizer), train(other, adam)) < 1e-9


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 2e-2)])
def test_weights_of_low_precision(dtype, tolerance):
    ours, theirs = both_ways(sgd(), dtype=dtype, steps=3)
    assert apart(ours, theirs) < tolerance


def test_each_group_has_its_own_strength():
    decays, model, own = [0.1, 0.0, 0.02], network(), network()

    def groups(model, key):
        return [{"params": model[k].parameters(), key: d} for k, d in zip((0, 1, 3), decays, strict=True)]

    theirs = train(own, torch.optim.SGD(groups(own, "weight_decay"), 0.3))
    for alpha in (decays, "l2", np.array(decays)):
        model = network()
        optimizer = torch.optim.SGD(groups(model, "l2"), 0.3)
        en.L2Hook(optimizer, alpha)
        assert apart(train(model, optimizer), theirs) < ROUNDING


@pytest.mark.parametrize(
    "exclude", [("bias", "norm"), ("bias", nn.LayerNorm), ["0.bias", "1", "3.bias"]], ids=str
)
def test_what_is_excluded_is_not_decayed(exclude):
    model, own = network(), network()
    optimizer = torch.optim.SGD(model.parameters(), 0.3)
    en.L2Hook(optimizer, ALPHA, exclude, model=model)
    plain = [w for w in own.parameters() if w.ndim < 2]
    groups = [{"params": [own[0].weight, own[3].weight], "weight_decay": ALPHA}, {"params": plain}]
    theirs = train(own, torch.optim.SGD(groups, 0.3))
    assert apart(train(model, optimizer), theirs) < ROUNDING
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.3)
    en.L2Hook(optimizer, ALPHA, [w for w in model.parameters() if w.ndim < 2])  # no model is needed
    assert apart(train(model, optimizer), theirs) < ROUNDING


def test_strengths_may_follow_a_schedule():
    model, own = network(), network()
    optimizer = torch.optim.SGD(model.parameters(), 0.3)
    theirs = torch.optim.SGD(own.parameters(), 0.3)
    hook = en.L2Hook(optimizer, 0.0)

    def ours(step):
        hook.alpha = 0.01 * step

    def torchs(step):
        theirs.param_groups[0]["weight_decay"] = 0.01 * step

    assert apart(train(model, optimizer, each=ours), train(own, theirs, each=torchs)) < ROUNDING


def test_gradients_are_afterwards_what_they_were():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.3)
    en.L2Hook(optimizer, ALPHA)
    X, y = rows()
    nn.functional.cross_entropy(model(X), y).backward()
    before = [(w.grad, w.grad.clone()) for w in model.parameters()]
    optimizer.step()
    for weight, (grad, values) in zip(model.parameters(), before, strict=True):
        assert weight.grad is grad
        assert torch.equal(grad, values)


def test_accumulated_gradients_do_not_gather_the_term():
    hooked, own = network(), network()
    optimizer = torch.optim.SGD(hooked.parameters(), 0.05)
    en.L2Hook(optimizer, ALPHA)
    other = torch.optim.SGD(own.parameters(), 0.05, weight_decay=ALPHA)
    X, y = rows()
    for model, steps in ((hooked, optimizer), (own, other)):
        for _ in range(5):  # never zeroed
            nn.functional.cross_entropy(model(X), y).backward()
            steps.step()
    assert apart(flat(hooked), flat(own)) < ROUNDING


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_minimises_loss_plus_penalty(search):
    """Step for step what it does where the penalty is written into the closure by hand."""
    model, own = network(), network()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=12, line_search_fn=search)
    en.L2Hook(optimizer, ALPHA)
    ours = train(model, optimizer, steps=1, closure=True)
    X, y = rows()
    other = torch.optim.LBFGS(own.parameters(), max_iter=12, line_search_fn=search)

    def objective():
        other.zero_grad()
        loss = nn.functional.cross_entropy(own(X), y)
        loss = loss + 0.5 * ALPHA * sum(w.square().sum() for w in own.parameters())
        loss.backward()
        return loss

    before = objective().item()
    other.step(objective)
    assert objective().item() < 0.9 * before
    assert apart(ours, flat(own)) < 1e-7


def test_a_step_with_a_closure_tells_the_objective():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    en.L2Hook(optimizer, ALPHA)
    X, y = rows()
    price = 0.5 * ALPHA * sum(w.square().sum().item() for w in model.parameters())
    loss = nn.functional.cross_entropy(model(X), y).item()
    told = optimizer.step(closure=lambda: nn.functional.cross_entropy(model(X), y))
    assert told.item() == pytest.approx(loss)  # nothing went backward: there is nothing to penalise

    def evaluate():
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        return loss

    assert optimizer.step(closure=evaluate).item() == pytest.approx(loss + price, rel=1e-12)


@pytest.mark.parametrize("fused", [False, True])
def test_scaled_gradients_get_the_term_in_their_scale(fused):
    hooked, own = network(torch.float32), network(torch.float32)
    optimizer = torch.optim.SGD(hooked.parameters(), 0.3, fused=fused)
    en.L2Hook(optimizer, ALPHA)
    other = torch.optim.SGD(own.parameters(), 0.3, weight_decay=ALPHA, fused=fused)
    X, y = rows(torch.float32)
    for model, steps in ((hooked, optimizer), (own, other)):
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        for _ in range(20):
            steps.zero_grad()
            scaler.scale(nn.functional.cross_entropy(model(X), y)).backward()
            scaler.step(steps)
            scaler.update()
    assert apart(flat(hooked), flat(own)) < 1e-5


def test_parameters_without_gradient_stay():
    model = network()
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    optimizer = torch.optim.SGD(model.parameters(), 0.3)
    en.L2Hook(optimizer, ALPHA)
    train(model, optimizer, steps=3)
    assert torch.equal(model[0].weight, before)


def test_removal_and_context():
    model, own = network(), network()
    optimizer = torch.optim.SGD(model.parameters(), 0.3)
    with en.L2Hook(optimizer, ALPHA) as hook:
        assert attached(optimizer) is hook
    assert attached(optimizer) is None
    second = en.L2Hook(optimizer, ALPHA)
    second.remove()
    theirs = train(own, torch.optim.SGD(own.parameters(), 0.3))
    assert np.array_equal(train(model, optimizer), theirs)


def test_nothing_is_left_in_state():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.3, momentum=0.9)
    plain = copy.deepcopy(optimizer.state_dict())
    en.L2Hook(optimizer, ALPHA)
    assert optimizer.state_dict() == plain
    assert attached(pickle.loads(pickle.dumps(optimizer))) is None


def test_a_step_that_failed_leaves_newer_gradients_alone():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.3)
    en.L2Hook(optimizer, ALPHA)
    X, y = rows()

    def fail(*_):
        raise RuntimeError("stop")

    nn.functional.cross_entropy(model(X), y).backward()
    handle = optimizer.register_step_pre_hook(fail)
    with pytest.raises(RuntimeError, match="stop"):
        optimizer.step()
    handle.remove()
    own = copy.deepcopy(model)
    ours, theirs = train(model, optimizer), train(own, sgd()(own.parameters(), ALPHA))
    assert apart(ours, theirs) < ROUNDING


def sparse():
    model = nn.Embedding(5, 2, sparse=True)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return model, optimizer


def test_sparse_gradients_are_refused_unless_excluded():
    model, optimizer = sparse()
    hook = en.L2Hook(optimizer, ALPHA)
    model(torch.tensor([1])).sum().backward()
    with pytest.raises(InputError, match=r"group 0 has a sparse gradient, .* \(5, 2\).*sparse=False"):
        optimizer.step()
    hook.alpha = 0.0
    optimizer.step()
    hook.remove()
    en.L2Hook(optimizer, ALPHA, model.weight)
    optimizer.step()


def made(kind=torch.optim.SGD, **options):
    return kind(network().parameters(), **{"lr": 0.1, **options})


REFUSED = {
    "twice": (lambda: en.L2Hook(made(weight_decay=0.1), ALPHA), r"SGD has weight_decay = 0.1 in group 0"),
    "adamw": (lambda: en.L2Hook(made(torch.optim.AdamW), ALPHA), r"AdamW has weight_decay = 0.01"),
    "asgd": (lambda: en.L2Hook(made(torch.optim.ASGD), ALPHA), r"ASGD has lambd = 0.0001 .* lambd=0"),
    "ascent": (lambda: en.L2Hook(made(maximize=True), ALPHA), r"maximize=True in group 0"),
    "negative": (lambda: en.L2Hook(made(), -1.0), r"alpha is -1"),
    "infinite": (lambda: en.L2Hook(made(), float("inf")), r"alpha is inf"),
    "nan": (lambda: en.L2Hook(made(), [float("nan")]), r"alpha\[0\] is nan"),
    "groups": (lambda: en.L2Hook(made(), [0.1, 0.1]), r"shape \(2,\) and optimizer 1 parameter groups"),
    "key": (lambda: en.L2Hook(made(), "l2"), r"alpha is 'l2', and optimizer group 0 has no such key"),
    "no optimiser": (lambda: en.L2Hook(network(), 0.1), r"optimizer is a Sequential; it needs"),
    "no model": (lambda: en.L2Hook(made(), 0.1, "bias"), r"exclude holds 'bias'.*give model="),
    "name": (lambda: en.L2Hook(made(), 0.1, "2.bais", model=network()), r"'2.bais'.*'3.bias'"),
    "thing": (lambda: en.L2Hook(made(), 0.1, [3], model=network()), r"exclude holds 3; it needs"),
    "class": (lambda: en.L2Hook(made(), 0.1, int, model=network()), r"exclude holds int; it needs"),
    "other model": (
        lambda: en.L2Hook(made(), 0.1, "bias", model=network()),
        r"\(6, 4\) that is not in model",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_in_words(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_refused_later():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    hook = en.L2Hook(optimizer, ALPHA)
    with pytest.raises(InputError, match="has an L2Hook already"):
        en.L2Hook(optimizer, ALPHA)
    with pytest.raises(InputError, match="alpha is -2"):
        hook.alpha = -2
    assert hook.alpha == ALPHA
    optimizer.param_groups[0]["weight_decay"] = 0.1
    with pytest.raises(InputError, match="decayed twice"):
        train(model, optimizer)


def test_groups_that_join_later_need_a_strength():
    model = network()
    optimizer = torch.optim.SGD(model[0].parameters(), 0.1)
    hook = en.L2Hook(optimizer, [ALPHA])
    optimizer.add_param_group({"params": model[3].parameters()})
    with pytest.raises(InputError, match="2 parameter groups"):
        train(model, optimizer)
    hook.alpha = [ALPHA, 0.0]
    train(model, optimizer)
