"""What stands in the way of second derivatives is gone around or refused; no wrong product gets out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import curvature_oracles as oracles
import eigenshrink.networks as en
import network_models as models
from eigenshrink.errors import InputError
from eigenshrink.networks import linearised, survey
from eigenshrink.networks.fallbacks import Differences, Twice
from eigenshrink.networks.linearised import Forward
from eigenshrink.networks.measure import NetworkMeasure
from eigenshrink.networks.network import Network
from eigenshrink.networks.products import network_curvature

EXACT = 1e-10
KINDS = ["ggn", "hessian"]


class Between(nn.Module):
    """A layer, something in between, a layer."""

    def __init__(self, act, width=4, classes=3):
        super().__init__()
        self.first, self.second = nn.Linear(5, width), nn.Linear(width, classes)
        self.act = act

    def forward(self, x):
        return self.second(self.act(self.first(x)))


def problem(make, rows=24, shape=(5,)):
    with models.drawn(8):
        X, y = torch.randn(rows, *shape, dtype=torch.float64), torch.randint(3, (rows,))
        model = make().double()
    return models.Case(model, nn.CrossEntropyLoss(), X, y, 12)


def products(case, kind, **options):
    """Without the comparison of two passes."""
    network = Network.of(case.model, case.loss)
    return network_curvature(network, network.batches(case.loader), kind, **options)


def exact(case, kind):
    return getattr(oracles, kind)(case.model, case.loss, case.X, case.y)


# --- attention, normalisation, recurrence -------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_fast_path_of_a_transformer_layer(kind):
    """Its own kernel in evaluation mode has no derivatives, and attention no second ones."""

    class Layered(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.3, batch_first=True)
            self.head = nn.Linear(4, 3)

        def forward(self, x):
            return self.head(self.layer(x).mean(1))

    case = problem(Layered, shape=(3, 4))
    made = products(case, kind)
    assert made.route == Forward.name
    assert oracles.error(made.dense, exact(case, kind)) < EXACT


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_layers(kind):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside, self.head = nn.LSTM(5, 4, batch_first=True), nn.Linear(4, 3)

        def forward(self, x):
            return self.head(self.inside(x)[0][:, -1])

    case = problem(Recurrent, shape=(2, 5))
    made = products(case, kind)
    assert oracles.error(made.dense, exact(case, kind)) < EXACT


@pytest.mark.parametrize("kind", KINDS)
def test_layers_that_write_in_place(kind):
    def act(x):
        x = F.silu(x, inplace=True)
        x += 1
        x[:, 0] = 0
        return F.relu_(x)

    case = problem(lambda: Between(act))
    made = products(case, kind)
    assert made.route == Forward.name
    assert oracles.error(made.dense, exact(case, kind)) < EXACT
    vectors = np.random.default_rng(0).standard_normal((made.dim, 3))
    again = products(case, kind, memory=0, block=2)
    assert (again.matvec(vectors) == made.matvec(vectors)).all()  # one by one: there is no rule for more


@pytest.mark.parametrize("kind", KINDS)
def test_convolutions_of_every_kind(kind):
    def make():
        return nn.Sequential(
            nn.Conv2d(1, 2, 3, stride=2, padding=1, padding_mode="circular"),
            nn.GroupNorm(2, 2),
            nn.GELU(),
            nn.ConvTranspose2d(2, 2, 2),
            nn.AdaptiveAvgPool2d(2),
            nn.Conv2d(2, 2, 2, groups=2, bias=False),
            nn.Flatten(),
            nn.Linear(2, 3),
        )

    case = problem(make, shape=(1, 6, 6))
    assert oracles.error(products(case, kind).dense, exact(case, kind)) < EXACT


# --- where forward mode is closed ---------------------------------------------------------------------


class Old(torch.autograd.Function):
    """As Functions were written before ``setup_context``: no rule for torch.func."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * (1 - x.tanh() ** 2)


class Once(Old):
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * (1 - x.tanh() ** 2)


def branch(x):
    return torch.tanh(x) if x.sum().item() > 0 else torch.sin(x)


def checkpointed(x):
    return checkpoint(torch.tanh, x, use_reentrant=False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("act", "reason"),
    [(Old.apply, "setup_context"), (branch, "data-dependent"), (checkpointed, "saved tensor hooks")],
)
def test_backward_twice_where_forward_mode_is_closed(act, reason, kind):
    case = problem(lambda: Between(act), rows=12)
    before = models.look(case.model)
    made = products(case, kind)
    assert made.route == Twice.name
    assert reason in made.found.closed[0]
    assert oracles.error(made.dense, exact(case, kind)) < EXACT
    assert made.found.kept_bytes > 12 * 4 * 8
    assert (products(case, kind, memory=0).dense == made.dense).all()
    assert models.look(case.model) == before


def test_gradients_of_checkpointed_models_at_other_weights():
    """What is computed again on the way back has those weights too, not those of the model."""
    plain, marked = problem(lambda: Deep(lambda work, x: work(x))), problem(lambda: Deep(again))
    found = []
    for case in (plain, marked):
        network = Network.of(case.model, case.loss)
        measure = NetworkMeasure.of(network, case.loader)
        found.append(measure.train_gradient(2 * network.parameters.flat()))
    assert np.abs(found[0]).max() > 1e-3
    assert oracles.error(found[1], found[0]) < 1e-14


def again(work, x):
    return checkpoint(work, x, use_reentrant=False)


class Deep(Between):
    """Weights inside what is computed again."""

    def forward(self, x):
        return self.second(self.act(lambda z: torch.tanh(self.first(z)), x))


@pytest.mark.parametrize("kind", KINDS)
def test_differences_where_nothing_else_is_open(kind):
    case = problem(lambda: Between(Once.apply))
    before = models.look(case.model)
    made = products(case, kind)
    assert made.route == Differences.name
    assert len(made.found.closed) == 2
    smooth = problem(lambda: Between(torch.tanh))
    assert 0 < oracles.error(made.dense, exact(smooth, kind)) < 1e-7
    assert models.look(case.model) == before
    assert made.matvec(np.zeros(made.dim)).tolist() == [0.0] * made.dim
    assert made.forecast.seconds_per_gradient > 0


@pytest.mark.parametrize("kind", KINDS)
def test_differences_in_float32(kind):
    case = problem(lambda: Between(Once.apply))
    case.model.float()
    case.X = case.X.float()
    smooth = models.Case(Between(torch.tanh), case.loss, case.X.double(), case.y)
    smooth.model.load_state_dict(case.model.state_dict())
    smooth.model.double()
    made = products(case, kind)
    assert made.route == Differences.name
    assert oracles.error(made.dense, exact(smooth, kind)) < 1e-2


@pytest.mark.parametrize("kind", KINDS)
def test_reentrant_checkpoints_have_differences(kind):
    case = problem(lambda: Between(lambda x: checkpoint(torch.tanh, x, use_reentrant=True)))
    smooth = problem(lambda: Between(torch.tanh))
    made = products(case, kind)
    assert made.route == Differences.name
    assert oracles.error(made.dense, exact(smooth, kind)) < 1e-7


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [Twice, Differences])
def test_every_route_gives_the_same(way, kind, monkeypatch):
    case = models.mlp()
    forward = products(case, kind).matvec(np.ones(226))
    monkeypatch.setattr(survey, "ROUTES", (way,))
    made = products(case, kind)
    assert made.route == way.name
    assert oracles.error(made.matvec(np.ones(226)), forward) < (1e-13 if way is Twice else 1e-7)


# --- what is not believed -----------------------------------------------------------------------------


class Wrong(torch.autograd.Function):
    """A jvp that does not belong to its backward."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x.tanh()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * (1 - x.tanh() ** 2)

    @staticmethod
    def jvp(ctx, tangent):
        (x,) = ctx.saved_tensors
        return tangent * (1 - x**2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_jvp_is_not_used(kind):
    case = problem(lambda: Between(Wrong.apply))
    made = products(case, kind)
    assert made.route == Twice.name
    assert "not symmetric" in made.found.closed[0]
    assert oracles.error(made.dense, exact(case, kind)) < EXACT


def test_a_wrong_rule_for_several_vectors_is_not_used(monkeypatch):
    """As PyTorch has one for layer norm in ``jvp(jacrev(...))``."""
    case = models.mlp()
    exact = products(case, "ggn", block=3)
    vectors = np.random.default_rng(0).standard_normal((exact.dim, 3))
    monkeypatch.setattr(linearised, "vmap", lambda apply, in_dims: lambda *given: given[:4])
    made = products(case, "ggn", block=3)
    assert (exact.block(3), made.block(3)) == (3, 1)
    assert oracles.error(made.matvec(vectors), exact.matvec(vectors)) < 1e-13


def test_routes_that_disagree_are_refused(monkeypatch):
    """Symmetric, but another matrix."""
    case = models.logistic()
    once = Twice.linearise

    def doubled(self, batch):
        made, output = once(self, batch)
        return type(made)(lambda v: [2 * one for one in made.product(v)], None, made.nbytes), output

    monkeypatch.setattr(Twice, "linearise", doubled)
    with pytest.raises(InputError, match=r"two ways to one product with the ggn differ by 0\.5 of it"):
        products(case, "ggn")


def test_what_was_traced_for_other_rows_is_not_believed():
    """A model whose code takes another way for the second batch, of the same shape."""

    class Switched(Between):
        way = torch.tanh

        def forward(self, x):
            return self.second(type(self).way(self.first(x)))

    class Loader(list):
        def __iter__(self):
            for way, batch in zip((torch.tanh, torch.sin), super().__iter__(), strict=True):
                Switched.way = way
                yield batch

    case = problem(lambda: Switched(None))
    network = Network.of(case.model, case.loss)
    made = network_curvature(network, network.batches(Loader(case.loader)), "ggn")
    assert made.route == Twice.name
    assert "another way through its code" in made.found.closed[0]


def test_random_numbers_in_evaluation_mode_are_refused():
    case = problem(lambda: Between(lambda x: F.dropout(x, 0.5, training=True)))
    with pytest.raises(InputError, match=r"draws random numbers in evaluation mode \(aten"):
        products(case, "ggn")
    with pytest.raises(InputError, match="random"):
        en.curvature(case.model, case.loss, case.loader)


def test_an_error_of_the_model_is_told_as_it_is():
    def act(x):
        raise KeyError("weather")

    with pytest.raises(KeyError, match="weather"):
        products(problem(lambda: Between(act)), "ggn")


def test_a_model_that_cannot_be_differentiated_is_refused():
    def act(x):
        return torch.from_numpy(np.tanh(x.detach().numpy()))

    class Closed(Between):
        def __deepcopy__(self, memo):
            raise TypeError("cannot be copied")

    with pytest.raises(InputError, match=r"no way leads to products.*cannot be copied.*operator of your own"):
        products(problem(lambda: Closed(act)), "ggn")
