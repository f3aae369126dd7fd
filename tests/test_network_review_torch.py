"""What a hostile reader of the products of networks found: each line here was wrong once."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import curvature_oracles as oracles
import eigenshrink.networks as en
from eigenshrink.errors import InputError
from network_models import cut, drawn

EXACT = 1e-10
KINDS = ["ggn", "hessian"]


class Plain(nn.Module):
    """Two layers; what is between them is for others to change."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 5)
        self.last = nn.Linear(5, 3)

    def inside(self, x: Tensor) -> Tensor:
        return torch.tanh(self.first(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.inside(x))


def made(kind: type[nn.Module] = Plain) -> nn.Module:
    with drawn(1):
        return kind().double()


def rows(count: int = 12) -> tuple[Tensor, Tensor]:
    with drawn(2):
        return torch.randn(count, 4, dtype=torch.float64), torch.randint(3, (count,))


def apart(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(found - truth).max() / np.abs(truth).max())


# --- shapes that depend on values: tracing would write them down as numbers --------------------------------


def masked_mean(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) ** 2)[target > 0].mean()


def counted_mean(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) ** 2 * (target > 0)).sum() / (target > 0).nonzero().shape[0]


def in_parts(kind: str, model: nn.Module, loss: object, batches: list[tuple[Tensor, Tensor]]) -> np.ndarray:
    """Mean over batches of equal size."""
    return sum(getattr(oracles, kind)(model, loss, X, y) for X, y in batches) / len(batches)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", [masked_mean, counted_mean])
def test_losses_over_some_rows_count_those_of_each_batch(loss, kind):
    X, _ = rows()
    y = torch.ones(12, 3, dtype=torch.float64)
    y[:4] = -1.0
    y[0, 0] = 1.0  # one in the first batch, which is the one that is traced, twelve in the others
    batches, model = cut(X, y, 4), made()
    found = en.curvature(model, loss, batches, kind).dense
    assert apart(found, in_parts(kind, model, loss, batches)) < EXACT


class Chosen(Plain):
    """Adds the mean of what is positive."""

    def forward(self, x: Tensor) -> Tensor:
        inside = self.inside(x)
        return self.last(inside) + inside[inside > 0].mean()


@pytest.mark.parametrize("kind", KINDS)
def test_models_that_choose_by_value_have_products_in_every_batch(kind):
    X, y = rows()
    batches, model = cut(X, y, 4), made(Chosen)
    found = en.curvature(model, nn.CrossEntropyLoss(), batches, kind).dense
    assert apart(found, in_parts(kind, model, nn.CrossEntropyLoss(), batches)) < EXACT


class Columns(Plain):
    """Which columns does not depend on the rows."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kept", torch.tensor([True, False, True, True, True]))

    def forward(self, x: Tensor) -> Tensor:
        inside = self.inside(x)
        some = inside[:, torch.tensor([0, 2, 3])] + inside[:, self.kept][:, :3]
        return self.last(inside) + some


def test_choices_that_are_the_same_for_all_rows_keep_the_fast_way():
    X, y = rows()
    model = made(Columns)
    products = en.curvature(model, nn.CrossEntropyLoss(), cut(X, y, 5))
    assert products.route == "forward mode, traced"
    assert apart(products.dense, oracles.ggn(model, nn.CrossEntropyLoss(), X, y)) < EXACT


# --- what models keep ----------------------------------------------------------------------------------


class Keeping(Plain):
    """Keeps what it saw, one way or another, and cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Tensor | None = None
        self.all_seen: list[Tensor] = []
        self.ramp: dict[int, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        if len(x) not in self.ramp:
            self.ramp[len(x)] = torch.linspace(0.0, 1.0, 5, dtype=x.dtype)
        self.seen = self.inside(x) + self.ramp[len(x)]
        self.all_seen.append(self.seen)
        return self.last(self.seen if float(x.sum()) < 1e9 else -self.seen)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_keeps_features_is_copied_and_left_as_it_was(kind):
    X, y = rows()
    loss, model = nn.CrossEntropyLoss(), made(Keeping)
    truth = getattr(oracles, kind)(made(Keeping), loss, X, y)
    model(X)
    seen, ramp = model.seen, model.ramp
    products = en.curvature(model, loss, cut(X, y, 5), kind)
    assert products.route == "backward twice"
    assert apart(products.dense, truth) < EXACT
    assert model.seen is seen
    assert model.ramp is ramp
    assert list(ramp) == [12]
    assert len(model.all_seen) == 1


def old_weight_norm() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 5)), nn.Tanh(), nn.Linear(5, 3))


def new_weight_norm() -> nn.Module:
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 5)), nn.Tanh(), nn.Linear(5, 3))


def test_weight_norm_as_it_was_before_parametrisations():
    X, y = rows()
    found = [
        en.curvature(made(kind), nn.CrossEntropyLoss(), cut(X, y, 5)).dense
        for kind in (old_weight_norm, new_weight_norm)
    ]
    whole = [np.linalg.eigvalsh(one) for one in found]  # the same numbers in another order
    assert np.allclose(*whole, atol=EXACT)


class Words(nn.Module):
    def __init__(self, **options) -> None:
        super().__init__()
        self.words = nn.Embedding(7, 3, **options)
        self.last = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.tanh(self.words(x)).mean(1))


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_gradients_of_an_embedding_make_no_difference(kind):
    with drawn(3):
        X, y = torch.randint(7, (12, 4)), torch.randint(3, (12,))
    sparse, plain = made(lambda: Words(sparse=True, padding_idx=0)), made(lambda: Words(padding_idx=0))
    loss = nn.CrossEntropyLoss()
    found = en.curvature(sparse, loss, cut(X, y, 5), kind).dense
    assert apart(found, getattr(oracles, kind)(plain, loss, X, y)) < EXACT
    assert sparse.words.sparse


def test_a_model_that_writes_into_its_weights_is_refused_unwritten():
    with drawn(3):
        X, y = torch.randint(7, (12, 4)), torch.randint(3, (12,))
    model = made(lambda: Words(max_norm=1.0))
    before = model.words.weight.tolist()
    with pytest.raises(InputError, match="changes its weights when it is called"):
        en.curvature(model, nn.CrossEntropyLoss(), cut(X, y, 5))
    assert model.words.weight.tolist() == before
    model(torch.arange(7)[None])
    assert en.curvature(model, nn.CrossEntropyLoss(), cut(X, y, 5)).dim == 33


# --- trust -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_a_loss_without_curvature_is_measured_before_it_is_trusted(decay):
    X, _ = rows(40)
    study = en.study(made(), nn.L1Loss(), (X, X[:, :3] * 2.0), weight_decay=decay)
    assert study.path.measured is not None
    low, high = study.path.trusted
    assert decay / 10.0 <= low <= decay <= high <= 10.0 * decay  # it was all strengths


# --- surroundings ----------------------------------------------------------------------------------------


def test_inference_mode_outside_changes_nothing():
    X, y = rows()
    model, loss = made(), nn.CrossEntropyLoss()
    with torch.inference_mode():
        found = en.curvature(model, loss, cut(X, y, 5)).dense
    assert apart(found, oracles.ggn(model, loss, X, y)) < EXACT


class Casting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x.to(torch.bfloat16)).float()


X, Y = rows()


@pytest.mark.parametrize(
    ("model", "loss", "batches", "words"),
    [
        (made(), F.cross_entropy, [*cut(X, Y, 5), (X[:0], Y[:0])], "batch 3 has no rows"),
        (made(), F.cross_entropy, (X, torch.full_like(Y, -100)), "no target counts"),
        (made(), nn.CrossEntropyLoss, (X, Y), r"give one of it: CrossEntropyLoss\(\)"),
        (lambda x: x, F.cross_entropy, (X, Y), "must be a torch.nn.Module"),
        (Casting().bfloat16(), F.cross_entropy, (X.float(), Y), "cast to the type of its weights"),
    ],
)
def test_refused_in_a_sentence(model, loss, batches, words):
    with pytest.raises(InputError, match=words):
        en.study(model, loss, batches, weight_decay=0.01)


def test_a_model_of_torchscript_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torch.jit.trace(made(), X)
    with pytest.raises(InputError, match="whose weights cannot be exchanged"):
        en.curvature(model, nn.CrossEntropyLoss(), (X, Y))


def test_outputs_whose_squares_are_no_numbers_are_refused():
    model = nn.Linear(4, 3, dtype=torch.float64)
    with torch.no_grad():
        model.weight.mul_(1e150)
    with pytest.raises(InputError, match="squares of that are no numbers"):
        en.curvature(model, nn.CrossEntropyLoss(), (X, Y))
