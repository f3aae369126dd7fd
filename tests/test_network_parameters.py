"""Flat weights: unique, trainable, in the order of the model; layers; there and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import network_models as models
from eigenshrink.errors import InputError
from eigenshrink.networks.parameters import Parameters, unwrapped

ALL = (models.logistic, models.mlp, models.regression, models.cnn, models.transformer, models.tied)


@pytest.mark.parametrize("make", ALL)
def test_flat_weights_stand_in_the_order_of_named_parameters(make):
    model = make().model
    parameters = Parameters.of(model)
    expected = np.concatenate([value.detach().numpy().ravel() for _, value in model.named_parameters()])
    np.testing.assert_array_equal(parameters.flat(), expected)
    assert parameters.dim == len(expected)
    assert parameters.names == tuple(name for name, _ in model.named_parameters())


@pytest.mark.parametrize("make", ALL)
def test_splitting_and_joining_are_inverse_for_one_vector_and_for_many(make):
    parameters = Parameters.of(make().model)
    rng = np.random.default_rng(0)
    for shape in ((parameters.dim,), (parameters.dim, 3), (parameters.dim, 1)):
        flat = rng.normal(size=shape)
        tensors = parameters.split(flat)
        assert [tuple(t.shape[len(shape) - 1 :]) for t in tensors] == [
            tuple(w.tensor.shape) for w in parameters.weights
        ]
        np.testing.assert_array_equal(parameters.join(tensors), flat)


def test_a_column_of_many_is_that_vector_split():
    parameters = Parameters.of(models.cnn().model)
    flat = np.random.default_rng(1).normal(size=(parameters.dim, 4))
    many, one = parameters.split(flat), parameters.split(flat[:, 2])
    assert all(torch.equal(a[2], b) for a, b in zip(many, one, strict=True))


def test_split_tensors_are_copies():
    parameters = Parameters.of(models.mlp().model)
    flat = parameters.flat()
    kept = flat.copy()
    for tensor in parameters.split(flat):
        tensor.zero_()
    np.testing.assert_array_equal(flat, kept)
    parameters.split(np.broadcast_to(0.0, flat.shape))  # not writable


def test_writing_changes_the_model_and_nothing_else_needs_a_gradient():
    model = models.mlp().model
    parameters = Parameters.of(model)
    flat = np.arange(parameters.dim, dtype=float)
    parameters.write(flat)
    np.testing.assert_array_equal(Parameters.of(model).flat(), flat)
    assert all(weight.requires_grad and weight.is_leaf for weight in model.parameters())


def test_a_vector_of_another_length_is_refused():
    parameters = Parameters.of(models.mlp().model)
    with pytest.raises(InputError, match="must have 226 numbers; got shape \\(225,\\)"):
        parameters.split(np.zeros(225))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_of_16_bits_are_computed_with_in_32_and_written_back_rounded(dtype):
    model = models.mlp(torch.float32).model.to(dtype)
    parameters = Parameters.of(model)
    assert parameters.coarse
    assert parameters.dtype == torch.float32
    flat = parameters.flat() + 1e-5
    assert {tensor.dtype for tensor in parameters.split(flat)} == {torch.float32}
    np.testing.assert_allclose(parameters.join(parameters.split(flat)), flat, rtol=1e-6)
    parameters.write(flat)
    assert {weight.dtype for weight in model.parameters()} == {dtype}
    np.testing.assert_allclose(parameters.flat(), flat, rtol=2.0**-7, atol=1e-4)


def test_mixed_types_are_computed_with_in_their_own():
    model = nn.Sequential(nn.Linear(2, 2).double(), nn.Linear(2, 2))
    parameters = Parameters.of(model)
    assert [t.dtype for t in parameters.tensors()] == [torch.float64] * 2 + [torch.float32] * 2
    assert parameters.dtype == torch.float64
    assert not parameters.coarse


# --- tied, frozen, shared ------------------------------------------------------------------------------


def test_tied_weights_count_once_and_have_both_names():
    model = models.tied().model
    parameters = Parameters.of(model)
    assert parameters.weights[0].names == ("embedding.weight", "head.weight")
    assert parameters.dim == 7 * 4 + 4 * 4 + 4
    assert set(parameters.named(parameters.tensors())) == {
        "embedding.weight", "head.weight", "inner.weight", "inner.bias",
    }  # fmt: skip


def test_two_parameters_in_one_place_of_memory_count_once():
    first = nn.Linear(3, 3, bias=False)
    second = nn.Linear(3, 3, bias=False)
    second.weight = nn.Parameter(first.weight.data)
    parameters = Parameters.of(nn.Sequential(first, second))
    assert parameters.dim == 9
    assert parameters.weights[0].names == ("0.weight", "1.weight")


def test_overlapping_weights_are_refused():
    first = nn.Linear(3, 3, bias=False)
    second = nn.Linear(3, 3, bias=False)
    second.weight = nn.Parameter(first.weight.data.T)
    with pytest.raises(InputError, match=r"'0.weight' and '1.weight' share memory .*one nn.Parameter"):
        Parameters.of(nn.Sequential(first, second))


def test_neighbours_in_one_storage_are_not_overlapping():
    whole = torch.randn(12)
    first, second = nn.Linear(2, 3, bias=False), nn.Linear(3, 2, bias=False)
    first.weight = nn.Parameter(whole[:6].view(3, 2))
    second.weight = nn.Parameter(whole[6:].view(2, 3))
    parameters = Parameters.of(nn.Sequential(first, second))
    np.testing.assert_array_equal(parameters.flat(), whole.double().numpy())


def test_frozen_weights_are_left_out():
    model = models.mlp().model
    model[1].requires_grad_(False)
    parameters = Parameters.of(model)
    assert parameters.names == ("3.weight", "3.bias")
    assert [(layer.name, layer.start, layer.stop) for layer in parameters.layers] == [("3", 0, 90)]


def test_only_what_is_named_is_kept():
    model = models.mlp().model
    parameters = Parameters.of(model, {"1.weight", "3.bias"})
    assert parameters.names == ("1.weight", "3.bias")
    assert parameters.dim == 128 + 10
    assert [layer.name for layer in parameters.layers] == ["1", "3"]


def test_a_model_without_trainable_weights_is_refused():
    with pytest.raises(InputError, match=r"no trainable weights.*requires_grad_\(True\)"):
        Parameters.of(models.mlp().model.requires_grad_(False))
    with pytest.raises(InputError, match="no trainable weights"):
        Parameters.of(nn.ReLU())


def test_weights_without_values_are_refused():
    with pytest.raises(InputError, match=r"'weight' has no values yet: run the model on one batch"):
        Parameters.of(nn.LazyLinear(3))
    with pytest.raises(InputError, match="no values yet"):
        Parameters.of(nn.Linear(2, 2, device="meta"))


def test_complex_weights_are_refused():
    with pytest.raises(InputError, match=r"'weight' has type torch.complex64; .*floating point"):
        Parameters.of(nn.Linear(2, 2, dtype=torch.complex64))


# --- layers --------------------------------------------------------------------------------------------


def test_a_layer_is_a_module_that_owns_weights():
    layers = Parameters.of(models.cnn().model).layers
    assert [(layer.name, layer.kind) for layer in layers] == [
        ("0", "Conv2d"), ("1", "BatchNorm2d"), ("5", "Linear"),
    ]  # fmt: skip


@pytest.mark.parametrize("make", ALL)
def test_layers_cover_the_vector_without_gaps(make):
    parameters = Parameters.of(make().model)
    ends = [0, *(layer.stop for layer in parameters.layers)]
    assert [layer.start for layer in parameters.layers] == ends[:-1]
    assert ends[-1] == parameters.dim


def test_weights_of_the_model_itself_bear_their_name():
    class Own(nn.Module):
        def __init__(self, both):
            super().__init__()
            self.slope = nn.Parameter(torch.ones(2))
            self.offset = nn.Parameter(torch.zeros(1)) if both else None

    assert [(layer.name, layer.kind) for layer in Parameters.of(Own(both=False)).layers] == [("slope", "Own")]
    assert [(layer.name, layer.kind) for layer in Parameters.of(Own(both=True)).layers] == [("model", "Own")]


def test_weight_norm_belongs_to_its_layer():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)), nn.Linear(2, 1))
    assert [(layer.name, layer.stop) for layer in Parameters.of(model).layers] == [
        ("0", 2 + 2 + 6),
        ("1", 13),
    ]


def test_wrappers_are_taken_off():
    model = models.mlp().model
    compiled = torch.compile(model, backend="eager")
    assert unwrapped(compiled) is model
    assert unwrapped(nn.DataParallel(model)) is model
    assert Parameters.of(compiled).names == Parameters.of(model).names


def test_no_gradient_is_a_zero_gradient():
    parameters = Parameters.of(models.mlp().model)
    tensors = parameters.split(np.ones(parameters.dim))
    flat = parameters.join([None, *tensors[1:]])
    assert flat[:128].tolist() == [0.0] * 128
    assert flat[128:].tolist() == [1.0] * 98
    assert not parameters.join([None] * 4).any()


def test_sparse_gradients_are_joined():
    embedding = nn.Embedding(4, 2, sparse=True)
    parameters = Parameters.of(embedding)
    embedding(torch.tensor([1])).sum().backward()
    np.testing.assert_array_equal(parameters.join([embedding.weight.grad]), [0, 0, 1, 1, 0, 0, 0, 0])
