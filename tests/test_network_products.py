"""What products keep, how many vectors they take at once, and what they leave as it was."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import curvature_oracles as oracles
import eigenshrink.networks as en
import network_models as models
from eigenshrink.errors import InputError
from eigenshrink.networks import factor as slow
from eigenshrink.networks.block import BlockTimer
from eigenshrink.networks.network import Network
from eigenshrink.networks.products import network_curvature

KINDS = [(models.mlp, "ggn"), (models.mlp, "hessian"), (models.cnn, "ggn")]


def products(case, kind="ggn", size=35, **options):
    """Without the comparison of two passes; batches of one size are traced once, and read anew each time."""
    network = Network.of(case.model, case.loss)
    loader = DataLoader(TensorDataset(case.X, case.y), batch_size=size)
    return network_curvature(network, network.batches(loader), kind, **options)


# --- what is kept -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "kind"), KINDS)
def test_what_is_kept_changes_no_digit(case, kind):
    made = case()
    everything = products(made, kind, block=1)
    half = products(made, kind, block=1, memory=everything.found.kept_bytes / 2)
    nothing = products(made, kind, block=1, memory=0)
    assert [len(one.found.kept) for one in (everything, half, nothing)] == [2, 1, 0]
    vectors = np.random.default_rng(0).standard_normal((everything.dim, 3))
    exact = everything.matvec(vectors)
    assert (exact == half.matvec(vectors)).all()
    assert (exact == nothing.matvec(vectors)).all()


def tensor_bytes():
    gc.collect()
    tensors = [one for one in gc.get_objects() if type(one) in (torch.Tensor, nn.Parameter)]
    return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values())


@pytest.mark.parametrize("kind", ["ggn", "hessian"])
def test_the_memory_that_is_allowed_is_not_exceeded(kind):
    case = models.cnn()
    everything = products(case, kind).found.kept_bytes
    for memory in (everything - 1, everything):
        before = tensor_bytes()
        made = products(case, kind, memory=memory)
        taken = tensor_bytes() - before
        small = 8 * made.dim * 2 + 2000  # the weights of now; buffers, single numbers
        assert made.found.kept_bytes <= memory
        assert abs(taken - made.found.kept_bytes) < small < everything / 4
        assert (len(made.found.kept) == 2) == (memory == everything)
        del made


def test_rows_that_are_parts_of_all_the_data_count_as_rows():
    case = models.mlp()
    network = Network.of(case.model, case.loss)
    parts = network_curvature(network, network.batches(models.cut(case.X, case.y, 35))).found
    assert parts.kept_bytes == products(case).found.kept_bytes


def test_what_is_kept_is_counted_once():
    """An MLP keeps its rows, the hidden layer and the shares of classes, no weights."""
    case = models.mlp()
    found = products(case, size=70).found
    hidden, rows, classes = 70 * 8 * 8, 70 * 16 * 8, 70 * 10 * 8
    assert hidden + classes <= found.kept_bytes <= 4 * hidden + rows + 4 * classes


@pytest.mark.parametrize(("case", "kind"), KINDS)
def test_blocks_of_any_size_give_the_same(case, kind):
    made = case()
    vectors = np.random.default_rng(1).standard_normal(
        (en.curvature(made.model, made.loss, made.loader).dim, 7)
    )
    single, *others = (
        en.curvature(made.model, made.loss, made.loader, kind, block=size).matvec(vectors)
        for size in (1, 2, 3, 7, 50)
    )
    assert max(oracles.error(other, single) for other in others) < 1e-13
    alone = en.curvature(made.model, made.loss, made.loader, kind)
    assert oracles.error(np.stack([alone.matvec(v) for v in vectors.T], axis=1), single) < 1e-13


def test_the_size_of_a_block_is_timed():
    case = models.mlp()
    made = products(case)
    assert made.block(1) == 1
    size = made.block(40)
    assert size in (1, 2, 4, 8, 16, 32)
    assert made.block(40) == size
    given = products(case, block=5)
    assert [given.block(count) for count in (1, 3, 40)] == [1, 3, 5]


def test_the_fastest_size_wins(monkeypatch):
    seconds = {1: 1.0, 2: 1.2, 4: 1.6, 8: 12.0}  # of a block; of a vector 1, 0.6, 0.4, 1.5
    monkeypatch.setattr("eigenshrink.networks.block.seconds_of", lambda work: work())

    def prepare(size):
        return lambda: seconds[size]

    timer = BlockTimer()
    assert timer.best(3, prepare) == 2  # 4 is not asked for
    assert timer.best(64, prepare) == 4
    assert timer.knows(64)  # 16 is not tried: 8 was far worse
    assert set(timer.seconds) == {1, 2, 4, 8}
    assert BlockTimer(largest=2).best(64, prepare) == 2

    def raises(size):
        def run():
            if size > 1:
                raise RuntimeError("no rule for this")
            return 1.0

        return run

    assert BlockTimer().best(64, raises) == 1


# --- what is left as it was ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ggn", "hessian"])
def test_the_model_is_not_touched(kind):
    case = models.cnn()
    case.model.train()
    case.model[3].eval()
    F.cross_entropy(case.model(case.X), case.y).backward()
    before = models.look(case.model)
    made = en.curvature(case.model, case.loss, models.shuffled(case.X, case.y), kind, memory=0)
    assert models.look(case.model) == before
    made.matvec(np.ones((made.dim, 2)))
    assert made.noise < 1e-13
    assert "product" in str(made.forecast)
    assert models.look(case.model) == before


def test_modules_hold_no_tensor_of_a_pass():
    class Notes(nn.Linear):
        def forward(self, x):
            self.seen = super().forward(x)
            return self.seen

    case = models.regression(2)
    model = Notes(5, 2).double()
    en.curvature(model, case.loss, case.loader, "hessian").matvec(np.ones(12))
    assert not hasattr(model, "seen")


@pytest.mark.parametrize("memory", [0, 1e9])
def test_training_on_does_not_move_it(memory):
    case = models.cnn()
    made = products(case, memory=memory)
    vector = np.random.default_rng(0).standard_normal(made.dim)
    before = made.matvec(vector)
    with torch.no_grad():
        case.model.train()(case.X)
        for weight in case.model.parameters():
            weight.mul_(2.0)
    assert (made.matvec(vector) == before).all()


def test_autocast_outside_changes_nothing():
    case = models.mlp(torch.float32)
    made = products(case, memory=0)
    before = made.matvec(np.ones(made.dim))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (made.matvec(np.ones(made.dim)) == before).all()


# --- few rows -----------------------------------------------------------------------------------------


def weighted():
    case = models.mlp()
    case.loss = nn.CrossEntropyLoss(torch.linspace(0.5, 2, 10).double(), ignore_index=3, label_smoothing=0.1)
    return case


@pytest.mark.parametrize("case", [models.cnn, models.transformer, models.tied, models.regression, weighted])
def test_the_factor_has_a_row_for_each_output(case, monkeypatch):
    monkeypatch.setattr(slow, "_one_by_one", None)  # all rows of a batch at once
    case = case()
    made = products(case, size=len(case.y) - 3)
    outputs = case.model.eval()(case.X).numel()
    B = made.factor()
    assert B.shape == (made.factor_rows, made.dim) == (outputs, made.dim)
    assert oracles.error(B.T @ B, made.dense) < 1e-12


def test_rows_that_depend_on_each_other_have_a_factor_too():
    class Centred(nn.Linear):
        def forward(self, x):
            return super().forward(torch.tanh(x - x.mean(0) ** 2))

    case = models.regression(2)
    with models.drawn(9):
        case.model = Centred(5, 2).double()
    B = products(case, size=25).factor()
    assert oracles.error(B.T @ B, products(case, size=25).dense) < 1e-12


def test_the_factor_of_float32_is_float32():
    made = products(models.mlp(torch.float32))
    B = made.factor()
    assert B.dtype == np.float32
    assert oracles.error(B.T @ B, made.dense) < 1e-5


def test_what_has_no_factor():
    generic = models.regression(2)
    generic.loss = lambda output, target: (output - target).abs().pow(3).mean()
    for made in (products(models.mlp(), "hessian"), products(generic)):
        assert made.factor_rows is None
        with pytest.raises(InputError, match="no factor"):
            made.factor()
