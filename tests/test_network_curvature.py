"""Products with the curvature of a network are those of dense second derivatives, whatever is kept."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import aslinearoperator, eigsh
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import curvature_oracles as oracles
import eigenshrink.networks as en
import network_models as models
from eigenshrink.errors import InputError
from eigenshrink.networks.forecast import Forecast
from eigenshrink.networks.network import Network
from eigenshrink.networks.products import asymmetry, network_curvature

EXACT = 1e-10
FORWARD = "forward mode, traced"


def with_loss(loss, case=models.mlp):
    made = case()
    made.loss = loss
    return made


def weighted():
    return with_loss(nn.CrossEntropyLoss(weight=torch.linspace(0.5, 2.0, 10).double(), label_smoothing=0.1))


def ignoring():
    return with_loss(nn.CrossEntropyLoss(ignore_index=3))


def binary():
    case = models.regression(2)
    case.y = (case.y > 0).double()
    case.loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([2.0, 0.5]).double())
    return case


def counts():
    case = models.regression(2)
    case.y = torch.round(case.y.abs() * 3)
    case.loss = nn.PoissonNLLLoss()
    return case


def generic():
    case = models.regression(2)
    case.loss = lambda output, target: torch.log(torch.cosh(output - target)).mean(1).mean()
    return case


CASES = {
    "logistic": models.logistic,
    "mlp": models.mlp,
    "squares": models.regression,
    "cnn with batch normalisation and dropout": models.cnn,
    "transformer": models.transformer,
    "tied, tokens ignored": models.tied,
    "class weights, smoothing": weighted,
    "ignored class": ignoring,
    "binary": binary,
    "counts": counts,
    "generic": generic,
}


@functools.cache
def truth(name, kind):
    case = CASES[name]()
    return getattr(oracles, kind)(case.model, case.loss, case.X, case.y)


@functools.cache
def products(name, kind):
    """Of two halves, which are traced once; without the comparison of two passes."""
    case = CASES[name]()
    network = Network.of(case.model, case.loss)
    halves = models.cut(case.X, case.y, len(case.y) // 2)
    return network_curvature(network, network.batches(halves), kind, block=16)


@pytest.mark.parametrize("kind", ["ggn", "hessian"])
@pytest.mark.parametrize("name", list(CASES))
def test_products_are_those_of_dense_second_derivatives(name, kind):
    made = products(name, kind)
    assert made.route == FORWARD
    assert made.found.kept[0].products is not None
    assert oracles.error(made.dense, truth(name, kind)) < EXACT


def test_the_oracles_tell_the_two_kinds_apart():
    assert oracles.error(truth("mlp", "ggn"), truth("mlp", "hessian")) > 0.01
    assert oracles.error(truth("logistic", "ggn"), truth("logistic", "hessian")) < EXACT


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mlp", "ggn"), ("class weights, smoothing", "hessian"), ("tied, tokens ignored", "ggn")],
)
def test_the_last_batch_is_smaller(name, kind):
    case = CASES[name]()
    size = {"tied, tokens ignored": 16}.get(name, 64)
    loader = DataLoader(TensorDataset(case.X, case.y), batch_size=size)
    assert [len(y) for _, y in loader] in ([64, 6], [16, 4])
    made = en.curvature(case.model, case.loss, loader, kind)
    assert oracles.error(made.dense, truth(name, kind)) < EXACT


def test_a_loader_that_shuffles_gives_the_same_matrix():
    case = models.mlp()
    made = en.curvature(case.model, case.loss, models.shuffled(case.X, case.y), memory=1e4)
    assert 0 < len(made.found.kept) < made.found.batches
    assert oracles.error(made.dense, truth("mlp", "ggn")) < EXACT


def test_means_and_variances_have_their_expected_curvature():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = nn.Linear(5, 4)

        def forward(self, x):
            mean, log_variance = torch.tanh(self.inside(x)).chunk(2, dim=1)
            return mean, log_variance.exp()

    class Stacked(nn.Module):
        def __init__(self, inside):
            super().__init__()
            self.inside = inside

        def forward(self, x):
            return torch.stack(self.inside(x), dim=-1)

    def fisher(output):
        variance = output[..., 1]
        return torch.diag((torch.stack([1 / variance, 0.5 / variance**2], -1) / variance.numel()).flatten())

    case = models.regression(2)
    with models.drawn(1):
        model = Both().double()
    ggn = en.curvature(model, nn.GaussianNLLLoss(), case.loader).dense
    assert oracles.error(ggn, oracles.ggn(Stacked(model), None, case.X, case.y, fisher)) < EXACT
    hessian = en.curvature(model, nn.GaussianNLLLoss(), case.loader, "hessian").dense
    whole = oracles.hessian(model, lambda out, y: nn.GaussianNLLLoss()(out[0], y, out[1]), case.X, case.y)
    assert oracles.error(hessian, whole) < EXACT


@pytest.mark.parametrize("kind", ["ggn", "hessian"])
def test_models_that_are_called_with_names(kind):
    model, loader = models.tokens()
    made = en.curvature(model, None, loader, kind)

    total, count = 0.0, sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in loader)
    for batch in loader:
        seen = batch["labels"][:, 1:]
        share = int((seen != -100).sum()) / count
        total = total + share * part(model, batch, seen, kind)
    assert oracles.error(made.dense, total) < EXACT


def part(model, batch, seen, kind):
    """The matrix of one batch of tokens, of which each next one is told."""

    class Told(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids):
            return self.model(ids).logits[:, :-1].movedim(-1, 1)

    return getattr(oracles, kind)(Told(), nn.CrossEntropyLoss(), batch["input_ids"], seen)


def test_inputs_of_several_tensors():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(2, 3), nn.Linear(3, 3)

        def forward(self, left, right, scale=1.0):
            return torch.tanh(self.first(left)) * scale + self.second(right)

    case = models.regression(2)
    with models.drawn(2):
        model = Sum().double()
    y = torch.arange(50) % 3
    named = {"left": case.X[:, :2], "right": case.X[:, 2:], "scale": 2.0}
    made = en.curvature(model, nn.CrossEntropyLoss(), [(named, y)])
    placed = en.curvature(model, nn.CrossEntropyLoss(), [((case.X[:, :2], case.X[:, 2:]), y)])
    exact = oracles.ggn(Wrapped(model, 2.0), nn.CrossEntropyLoss(), case.X, y)
    assert oracles.error(made.dense, exact) < EXACT
    assert (
        oracles.error(placed.dense, oracles.ggn(Wrapped(model, 1.0), nn.CrossEntropyLoss(), case.X, y))
        < EXACT
    )


class Wrapped(nn.Module):
    def __init__(self, model, scale):
        super().__init__()
        self.model, self.scale = model, scale

    def forward(self, x):
        return self.model(x[:, :2], x[:, 2:], self.scale)


def test_frozen_weights_are_left_out():
    case = models.mlp()
    case.model[1].bias.requires_grad_(False)
    made = en.curvature(case.model, case.loss, (case.X, case.y))
    assert made.dim == 226 - 8
    assert oracles.error(made.dense, oracles.ggn(case.model, case.loss, case.X, case.y)) < EXACT


def test_unused_weights_have_no_curvature():
    case = models.mlp()
    case.model.register_parameter("spare", nn.Parameter(torch.ones(3).double()))
    dense = en.curvature(case.model, case.loss, (case.X, case.y)).dense
    assert oracles.error(dense, oracles.ggn(case.model, case.loss, case.X, case.y)) < EXACT
    assert not dense[:3].any() or not dense[-3:].any()


@pytest.mark.parametrize(
    ("case", "kind"),
    [(models.mlp, "ggn"), (models.cnn, "hessian"), (models.transformer, "ggn")],
)
def test_float32_weights(case, kind):
    made = case(torch.float32)
    found = en.curvature(made.model, made.loss, (made.X, made.y), kind)
    exact = getattr(oracles, kind)(oracles.in_float64(made.model), made.loss, made.X.double(), made.y)
    assert found.dense.dtype == np.float64
    assert found.precision == np.float32
    assert oracles.error(found.dense, exact) < 1e-4
    assert 1e-10 < found.noise < 1e-5


def test_bfloat16_weights_are_computed_with_in_float32():
    case = models.mlp(torch.float32)
    model = case.model.bfloat16()
    found = en.curvature(model, case.loss, (case.X, case.y))
    exact = oracles.ggn(oracles.in_float64(model), case.loss, case.X.double(), case.y)
    assert found.precision == np.float32
    assert oracles.error(found.dense, exact) < 1e-4
    assert all(weight.dtype == torch.bfloat16 for weight in model.parameters())


# --- how it is used -----------------------------------------------------------------------------------


def test_it_is_an_operator_of_scipy():
    made = products("mlp", "ggn")
    exact = truth("mlp", "ggn")
    operator = aslinearoperator(made)
    assert operator.shape == exact.shape
    vectors = np.random.default_rng(0).standard_normal((made.dim, 3))
    np.testing.assert_allclose(operator @ vectors, exact @ vectors, rtol=0, atol=1e-12)
    np.testing.assert_allclose(operator.T @ vectors[:, 0], exact @ vectors[:, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        eigsh(operator, k=2, which="LA", v0=vectors[:, 0])[0], np.linalg.eigvalsh(exact)[-2:], rtol=1e-8
    )


def test_products_are_counted_and_told():
    case, told = models.mlp(), []
    made = en.curvature(case.model, case.loss, case.loader, progress=lambda *seen: told.append(seen))
    made.matvec(np.ones(made.dim))
    made.matvec(np.ones((made.dim, 4)))
    assert [count for count, _ in told] == [1, 5]
    assert 0 < told[0][1] < told[1][1] == made.seconds
    assert made.products == 5
    assert made.matvec(np.ones((made.dim, 0))).shape == (made.dim, 0)


def test_whether_it_is_positive_is_known():
    assert products("mlp", "ggn").positive
    assert not products("mlp", "hessian").positive
    assert not products("generic", "ggn").positive  # nobody knows of a callable whether it is convex


def test_noise_is_what_is_not_symmetric():
    vectors = np.eye(2)
    assert asymmetry(vectors, np.array([[1.0, 0.5], [0.5, 2.0]])) == 0.0
    assert asymmetry(vectors, np.array([[3.0, 0.0], [4.0, 1.0]])) == pytest.approx(4.0)
    assert 0 <= products("mlp", "hessian").noise < 1e-14


def test_the_forecast_in_words():
    case = models.mlp()
    cast = en.curvature(case.model, case.loss, case.loader, memory=1e4).forecast
    assert (cast.parameters, cast.rows, cast.batches) == (226, 70, 5)
    assert 0 < cast.kept < 5
    assert 0 < cast.kept_bytes <= 1e4
    assert 0 < cast.seconds_per_product < 60
    assert cast.seconds(10) == pytest.approx(10 * cast.seconds_per_product)
    told = Forecast("ggn", FORWARD, 212_345, 60_000, 100, 40, 160_400_000, 0.5, 0.41)
    assert str(told) == (
        "2.1e5 weights, 6.0e4 rows: about 0.41 s per product (0.8 gradients), "
        "160 MB kept for 40 of 100 batches, forward mode, traced"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "fisher"}, "'fisher'; it must be one of 'ggn', 'hessian'"),
        ({"memory": -1}, "memory is -1"),
        ({"memory": "1 GB"}, "memory is '1 GB'"),
        ({"block": 0}, "block is 0"),
    ],
)
def test_arguments_are_checked(options, message):
    case = models.logistic()
    with pytest.raises(InputError, match=message):
        en.curvature(case.model, case.loss, case.loader, **options)


def test_vectors_are_checked():
    with pytest.raises(InputError, match=r"shape \(5,\) for 226 weights"):
        products("mlp", "ggn").matvec(np.ones(5))


def test_what_has_no_mean_is_refused():
    case = models.logistic()
    network = Network.of(case.model, nn.CrossEntropyLoss(ignore_index=7))
    with pytest.raises(InputError, match="no target counts"):
        network_curvature(network, network.batches([(case.X, torch.full((70,), 7))]))


def test_what_is_not_finite_is_refused():
    case = models.logistic()
    X = case.X.clone()
    X[20] = float("nan")
    network = Network.of(case.model, case.loss)
    with pytest.raises(InputError, match="NaN or infinity in batch 1"):
        network_curvature(network, network.batches(models.cut(X, case.y)))
