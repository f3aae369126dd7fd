"""Whatever is random in a model or a loader is refused with its reason; what only looks so passes."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, WeightedRandomSampler

import network_models as models
from eigenshrink.errors import InputError
from eigenshrink.networks.determinism import check, dropped
from eigenshrink.networks.fit import fit_network
from eigenshrink.networks.network import Network

ALL = (models.logistic, models.mlp, models.regression, models.cnn, models.transformer, models.tied)


def fitted(case, loader=None):
    return fit_network(case.model, case.loss, loader or case.loader, models.decay(case.model))


def checked(model, loader, loss=None):
    return check(Network.of(model, loss or nn.CrossEntropyLoss()), loader)


# --- what is random in the model -----------------------------------------------------------------------


class Forced(nn.Module):
    """Dropout that forgets the mode."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.drop = Awake(0.3) if kind == "module" else nn.Identity()
        self.head = nn.Linear(16, 10)
        self.calls = 0

    def forward(self, x):
        x = self.drop(x.flatten(1))
        if self.kind == "function":
            x = F.dropout(x, 0.3)
        if self.kind == "counter":
            self.calls += 1
            x = x * self.calls
        return self.head(x)


class Awake(nn.Dropout):
    def train(self, mode=True):
        return super().train(True)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("module", r"'drop' \(Awake\) stays in training mode after model.eval\(\)"),
        ("function", r"draws random numbers in evaluation mode, as F.dropout\(x\) does without training="),
        ("counter", "keeps something from one call to the next"),
    ],
)
def test_models_that_answer_differently_are_refused_with_the_reason(kind, words, dtype):
    X, y = models.digits(dtype=dtype)
    with pytest.raises(InputError, match=words):
        checked(Forced(kind).to(dtype), models.cut(X, y))


class Backwards(torch.autograd.Function):
    """The identity, with a slope that is drawn."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, slope):
        return slope * torch.rand(())


def test_models_with_a_random_gradient_are_refused():
    class Model(nn.Linear):
        def forward(self, x):
            return Backwards.apply(super().forward(x.flatten(1)))

    X, y = models.digits()
    with pytest.raises(InputError, match="answers one batch differently each time"):
        checked(Model(16, 10).double(), models.cut(X, y))


def test_a_model_that_keeps_to_the_mode_passes():
    X, y = models.digits()
    checked(Forced("none").double(), models.cut(X, y))


def test_dropout_in_training_mode_is_no_matter():
    case = models.cnn()
    case.model.train()
    assert fitted(case).start_loss == fitted(models.cnn()).start_loss


def test_batch_normalisation_without_running_statistics_is_refused():
    case = models.cnn()
    case.model[1] = nn.BatchNorm2d(3, track_running_stats=False).double()
    with pytest.raises(InputError, match=r"'1' \(BatchNorm2d\) has track_running_stats=False.*GroupNorm"):
        fitted(case)
    with torch.no_grad():  # why: rows answer differently in another batch
        whole, part = case.model.eval()(case.X), case.model(case.X[:10])
    assert not torch.allclose(whole[:10], part)


# --- what is random in the loader ----------------------------------------------------------------------


class Augmented(Dataset):
    def __init__(self, case, draw):
        self.case, self.draw = case, draw

    def __len__(self):
        return len(self.case.y)

    def __getitem__(self, i):
        x = self.case.X[i]
        return (x.flip(-1) if self.draw() < 0.5 else x), self.case.y[i]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "draw",
    [lambda: torch.rand(()).item(), random.random, np.random.default_rng(0).random],
    ids=["torch", "python", "numpy"],
)
def test_augmentation_is_refused(draw, shuffle, dtype):
    case = models.mlp(dtype)
    loader = DataLoader(Augmented(case, draw), batch_size=16, shuffle=shuffle)
    with pytest.raises(InputError, match=r"two passes over loader differ.*random augmentation"):
        fitted(case, loader)
    case.loss = lambda output, target: F.cross_entropy(output, target)
    with pytest.raises(InputError, match="random augmentation"):
        fitted(case, loader)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [16, 70, 100])
def test_shuffling_alone_passes(dtype, size):
    case = models.mlp(torch.float32 if dtype == torch.bfloat16 else dtype)
    case.model.to(dtype)
    found = fitted(case, models.shuffled(case.X, case.y, size))
    near = 1e-13 if dtype == torch.float64 else 1e-5
    assert found.start_loss == pytest.approx(fitted(case).start_loss, rel=near)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_shuffling_alone_passes_where_the_gradient_is_zero(dtype):
    """At a minimum the gradient is nothing but rounding, other rounding in another order."""
    case = models.regression(1, dtype)
    X = torch.cat([case.X, torch.ones(50, 1, dtype=dtype)], dim=1)
    solution = torch.linalg.lstsq(X.double(), case.y.double()).solution.to(dtype)
    model = nn.Linear(6, 1, bias=False, dtype=dtype)
    with torch.no_grad():
        model.weight.copy_(solution.T)
        exact = X @ solution
    for y in (case.y, exact):  # at the minimum, and with nothing left to explain
        for size in (8, 50):
            for loss in (nn.MSELoss(), lambda output, target: F.mse_loss(output, target)):
                checked(model, models.shuffled(X, y, size), loss)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_shuffling_alone_passes_after_a_perfect_fit(dtype):
    case = models.logistic(dtype)
    with torch.no_grad():
        for weight in case.model.parameters():
            weight.mul_(200.0)
        case.y = case.model(case.X).argmax(1)
    checked(case.model, models.shuffled(case.X, case.y, 8))


def test_shuffling_that_loses_rows_is_refused():
    case = models.mlp()
    loader = models.shuffled(case.X, case.y, 16, drop_last=True)
    with pytest.raises(
        InputError, match=r"loader has drop_last=True and shuffles: .* 6 of 70 rows.*drop_last=False"
    ):
        fitted(case, loader)
    with pytest.raises(InputError, match="val_loader has drop_last=True"):
        check(Network.of(case.model, case.loss), loader, "val_loader")


def test_dropping_nothing_or_always_the_same_is_not_refused():
    case = models.mlp()
    whole = models.shuffled(case.X, case.y, 14, drop_last=True)
    assert (dropped(whole), fitted(case, whole).sample.rows) == (0, 70)
    data = TensorDataset(case.X, case.y)
    found = fitted(case, DataLoader(data, batch_size=16, drop_last=True))
    assert found.sample.rows == 64
    assert found.notes == ("drop_last leaves out the last 6 rows",)


def test_sampling_with_replacement_is_refused():
    case = models.mlp()
    data = TensorDataset(case.X, case.y)
    samplers = (
        WeightedRandomSampler([1.0] * 70, 70),
        torch.utils.data.RandomSampler(data, replacement=True),
    )
    for sampler in samplers:
        with pytest.raises(InputError, match=r"draws rows with replacement.*weights of classes to the loss"):
            fitted(case, DataLoader(data, batch_size=16, sampler=sampler))


class Elsewhere:
    """Shuffles by numbers that nobody can set back."""

    def __init__(self, case):
        self.case, self.rng = case, np.random.default_rng(0)

    def __iter__(self):
        order = torch.from_numpy(self.rng.permutation(len(self.case.y)))
        return iter(models.cut(self.case.X[order], self.case.y[order]))


def test_shuffling_by_other_random_numbers_is_refused():
    case = models.mlp()
    with pytest.raises(InputError, match=r"shuffles by random numbers of its own.*shuffle=False"):
        fitted(case, Elsewhere(case))


def test_a_loss_that_is_no_mean_over_rows_is_refused_when_shuffled():
    case = models.regression()

    def spread(output, target):
        return (output.mean(0) - target).pow(2).mean()

    case.loss = spread
    fitted(case)
    with pytest.raises(InputError, match="is no mean over rows"):
        fitted(case, models.shuffled(case.X, case.y))


@pytest.mark.parametrize("place", ["inputs", "weights"])
def test_a_loss_that_is_not_finite_is_refused(place):
    case = models.mlp()
    if place == "inputs":
        case.X = case.X.clone()
        case.X[33] = float("nan")
    else:
        with torch.no_grad():
            case.model[1].bias[0] = float("nan")
    row = 33 if place == "inputs" else 0
    with pytest.raises(InputError, match=f"the loss of row {row} of loader is nan: it must be finite"):
        fitted(case)


def test_a_loader_that_can_be_read_once_is_refused():
    case = models.mlp()
    with pytest.raises(InputError, match="read only once"):
        fitted(case, iter(case.loader))
