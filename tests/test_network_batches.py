"""Any loader gives the same batches each time; models are called as they expect."""

from __future__ import annotations

import collections
import random

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, TensorDataset

import network_models as models
from eigenshrink.errors import InputError
from eigenshrink.networks.batches import Batch, Batches, as_batch, batches, generators, row_count
from eigenshrink.networks.network import Network
from eigenshrink.networks.state import undisturbed

X, Y = models.digits(20)


def seen(data):
    return [batch.target.tolist() for batch in data]


# --- kinds of loaders ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loader",
    [
        models.cut(X, Y, 8),
        (*models.cut(X, Y, 8), (X[:1], Y[:1])),
        DataLoader(TensorDataset(X, Y), batch_size=8),
        [{"x": x, "labels": y} for x, y in models.cut(X, Y, 8)],
        [Batch(x, y) for x, y in models.cut(X, Y, 8)],
        [((x, x), y) for x, y in models.cut(X, Y, 8)],
        [[x, y] for x, y in models.cut(X, Y, 8)],
    ],
    ids=["list", "tuple", "DataLoader", "dicts", "records", "several inputs", "lists"],
)
def test_every_kind_of_loader_is_read_as_often_as_wanted(loader):
    data = batches(loader)
    first = [label for part in seen(data) for label in part]
    assert first[:20] == Y.tolist()
    assert [len(part) for part in seen(data)][:3] == [8, 8, 4]
    assert [label for part in seen(data) for label in part] == first


@pytest.mark.parametrize("pair", [(X, Y), [X, Y], ((X, X), Y), {"x": X, "labels": Y}, Batch(X, Y)])
def test_one_batch_is_a_loader(pair):
    assert seen(batches(pair)) == [Y.tolist()]


def test_two_batches_in_a_tuple_are_two():
    first, second = models.cut(X, Y, 10)
    assert [batch.rows for batch in batches((first, second))] == [10, 10]


def test_batches_are_batches():
    data = batches(batches(models.cut(X, Y, 8)), dtype=torch.float32, device=torch.device("cpu"))
    assert next(iter(data)).inputs.dtype == torch.float32


@pytest.mark.parametrize(
    ("loader", "words"),
    [
        (iter(models.cut(X, Y)), r"read only once.*list\(loader\)"),
        (X, "loader is Tensor; give a DataLoader"),
        (3, "loader is int"),
        ("data", "loader is str"),
    ],
)
def test_what_is_no_loader_is_refused(loader, words):
    with pytest.raises(InputError, match=words):
        batches(loader)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (X, "batch 4 is a Tensor; a batch is a pair"),
        ((X, X, Y), "batch 4 has 3 parts; a batch is a pair"),
        ({"x": X}, r"batch 4 is a dict of \['x'\], without 'labels'"),
    ],
)
def test_what_is_no_batch_is_refused_by_its_number(item, words):
    with pytest.raises(InputError, match=words):
        as_batch(item, 4)


def test_an_empty_loader_is_refused():
    with pytest.raises(InputError, match=r"gives no batch.*drop_last"):
        list(batches([]))
    with pytest.raises(InputError, match="gives no batch"):
        list(batches(DataLoader(TensorDataset(X, Y), batch_size=64, drop_last=True)))


@pytest.mark.parametrize(("target", "rows"), [(Y, 20), ((Y, Y), 20), ({"a": X[:3]}, 3), ([{"a": X[:2]}], 2)])
def test_rows_are_the_length_of_the_target(target, rows):
    assert row_count(target) == rows


@pytest.mark.parametrize(
    ("target", "words"),
    [(torch.tensor(1.0), "no axis of rows"), ([1, 2], "target is int"), (None, "NoneType")],
)
def test_a_target_without_rows_is_refused(target, words):
    with pytest.raises(InputError, match=words):
        row_count(target)


# --- random numbers ------------------------------------------------------------------------------------


def test_a_shuffled_loader_keeps_one_order_until_it_is_drawn_anew():
    data = batches(models.shuffled(X, Y, 8))
    first = seen(data)
    torch.rand(7)
    assert seen(data) == first
    other = seen(data.drawn(1))
    assert other != first
    for order in (first, other):
        assert sorted(label for part in order for label in part) == sorted(Y.tolist())


def test_random_numbers_of_others_are_left_alone():
    data = batches(models.shuffled(X, Y, 8))
    before = torch.get_rng_state(), random.getstate()
    drawn = []
    for _ in data:
        assert torch.equal(torch.get_rng_state(), before[0])
        assert random.getstate() == before[1]
        drawn.append(0)
    assert len(drawn) == 3


def test_random_numbers_drawn_between_batches_do_not_matter():
    data = batches(DataLoader(Noisy(), batch_size=4))
    first = [batch.inputs.tolist() for batch in data]
    second = []
    for batch in data:
        second.append(batch.inputs.tolist())
        torch.rand(3)
        random.random()
    assert first == second
    assert first[0] != first[1]


def test_a_generator_of_its_own_is_put_back():
    own = torch.Generator().manual_seed(5)
    loader = models.shuffled(X, Y, 8, generator=own)
    before = own.get_state()
    data = batches(loader)
    assert seen(data) == seen(data)
    assert torch.equal(own.get_state(), before)
    next(iter(data))  # left in the middle
    assert torch.equal(own.get_state(), before)


@pytest.mark.parametrize("stay", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_workers_keep_the_order(stay, own):
    options = {"generator": torch.Generator().manual_seed(3)} if own else {}
    data = batches(models.shuffled(X, Y, 8, num_workers=1, persistent_workers=stay, **options))
    before = torch.get_rng_state()
    first = seen(data)
    assert seen(data) == first
    assert seen(data.drawn(1)) != first
    assert torch.equal(torch.get_rng_state(), before)


def test_generators_of_samplers_are_found():
    own = torch.Generator()
    sampler = RandomSampler(TensorDataset(X, Y), generator=own)
    assert generators(DataLoader(TensorDataset(X, Y), sampler=sampler)) == [own]
    assert generators(models.cut(X, Y)) == []


class Noisy(IterableDataset):
    def __iter__(self):
        return ((torch.rand(2) + random.random(), torch.tensor(i)) for i in range(12))


# --- calling the model ---------------------------------------------------------------------------------


class Echo(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
        self.got = None

    def forward(self, *positions, **keywords):
        self.got = (positions, keywords)
        return self.weight * torch.zeros(20)


@pytest.mark.parametrize(
    ("inputs", "positions", "keywords"),
    [
        (X, 1, []),
        ((X, X), 2, []),
        ([X, X], 2, []),
        ({"a": X, "b": X}, 0, ["a", "b"]),
        (collections.OrderedDict(a=X), 0, ["a"]),
    ],
)
def test_models_are_called_with_tensors_tuples_and_dicts(inputs, positions, keywords):
    model = Echo()
    Batch(inputs, Y)(model)
    assert len(model.got[0]) == positions
    assert list(model.got[1]) == keywords


def test_labels_are_given_to_the_model_as_transformers_want_it():
    model = Echo()
    as_batch({"input_ids": X, "labels": Y})(model)
    assert list(model.got[1]) == ["input_ids", "labels"]


def test_numbers_are_given_in_the_type_of_the_weights_and_whole_numbers_as_they_are():
    model = Echo()
    network = Network.of(model, torch.nn.MSELoss())
    inputs = {"x": X.float(), "ids": Y, "more": (X.half(), "text")}
    batch = next(iter(network.batches([(inputs, X.float())])))
    assert batch.inputs["x"].dtype == torch.float64
    assert batch.inputs["ids"].dtype == torch.int64
    assert batch.inputs["more"][0].dtype == torch.float64
    assert batch.inputs["more"][1] == "text"
    assert batch.target.dtype == torch.float32


@pytest.mark.parametrize("make", [models.mlp, models.cnn, models.transformer, models.tied])
def test_outputs_with_given_weights_are_those_of_the_model(make):
    case = make()
    network = Network.of(case.model, case.loss)
    with undisturbed(case.model), torch.no_grad():
        for batch in network.batches(case.loader):
            expected = case.model(batch.inputs)
            torch.testing.assert_close(network.output(network.parameters.tensors(), batch), expected)
            doubled = network.parameters.split(2.0 * network.parameters.flat())
            assert not torch.allclose(network.output(doubled, batch), expected)


def test_models_of_16_bits_are_computed_with_in_32_buffers_and_inputs_too():
    case = models.cnn(torch.float32)
    half = models.cnn(torch.float32).model.bfloat16()
    half[0].weight.requires_grad_(False)
    exact = models.cnn(torch.float32).model
    exact.load_state_dict(
        {name: value.to(exact.state_dict()[name].dtype) for name, value in half.state_dict().items()}
    )
    network = Network.of(half, case.loss)
    with undisturbed(half), undisturbed(exact), torch.no_grad():
        batch = next(iter(network.batches([(case.X.bfloat16(), case.y)])))
        output = network.output(network.parameters.tensors(), batch)
        torch.testing.assert_close(output, exact(batch.inputs))
    assert output.dtype == torch.float32
    assert {value.dtype for value in half.parameters()} == {torch.bfloat16}


def test_a_model_that_gives_no_tensor_is_told_so():
    class Pair(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x), x

    network = Network.of(Pair(2, 2), torch.nn.MSELoss())
    with pytest.raises(InputError, match=r"gives a tuple; it must give one tensor or an object with .logits"):
        network.output(network.parameters.tensors(), Batch(torch.ones(3, 2), torch.ones(3, 2)))


def test_batches_keep_their_settings_when_drawn_anew():
    data = Batches([(X, Y)], torch.device("cpu"), torch.float32).drawn(4)
    assert (data.seed, data.dtype, data.device) == (4, torch.float32, torch.device("cpu"))
