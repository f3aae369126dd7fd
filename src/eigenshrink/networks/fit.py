"""A trained model becomes the record of where its training stopped: weights, gradient, counts (M4, M5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from eigenshrink.curvature import Curvature
from eigenshrink.errors import EigenshrinkError, InputError
from eigenshrink.fit import Fit, Sample
from eigenshrink.networks.batches import Batches
from eigenshrink.networks.declared import network_of
from eigenshrink.networks.determinism import check, dropped
from eigenshrink.networks.measure import Pass
from eigenshrink.networks.network import Network
from eigenshrink.networks.parameters import Parameters
from eigenshrink.path.measured import Layer

Array = NDArray[np.float64]


class Penalty(Protocol):
    """With which decay it was trained."""

    @property
    def alpha0(self) -> float:
        """``α₀``, house units."""
        ...

    @property
    def penalty_factor(self) -> Array:
        """Of all trainable weights, ``(p,)``."""
        ...


@dataclass(frozen=True, eq=False)
class Fitted:
    """Where a training stopped, without its curvature.

    Attributes
    ----------
    network : Network
        Of the weights that the loss depends on.
    data : Batches
        What it was trained on.
    passed : Pass
        One pass over them at ``w₀``; its gradient is that of the weights of ``network``.
    weights : (p,)
        ``w₀``.
    alpha : float
        ``α₀``.
    penalty_factor : (p,)
    notes : tuple of str
        What is to be known: left out, computed otherwise.
    """

    network: Network
    data: Batches
    passed: Pass
    weights: Array
    gradient: Array
    alpha: float
    penalty_factor: Array
    notes: tuple[str, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Modules that own weights, in flat order."""
        return self.network.parameters.layers

    @property
    def start_loss(self) -> float:
        """``L(w₀)``."""
        return self.passed.losses.mean

    @property
    def sample(self) -> Sample:
        """What the house remembers of the data: S and ν; there are no columns."""
        zeros = np.broadcast_to(0.0, self.weights.shape)
        return Sample(
            rows=self.passed.rows,
            weight_sum=self.passed.weight_sum,
            observations=self.passed.observations,
            weight_kind="precision",
            fit_intercept=False,
            column_mean=zeros,
            column_sd=np.broadcast_to(1.0, self.weights.shape),
            target_mean=np.zeros(1),
            target_sd=np.array([np.nan]),
            dtype="float64",
        )

    def fit(self, curvature: Curvature) -> Fit:
        """The record that every path starts from."""
        return Fit(
            weights=self.weights[:, None],
            gradient=self.gradient[:, None],
            alpha=self.alpha,
            curvature=curvature,
            penalty_factor=self.penalty_factor,
            active=np.ones(len(self.weights), dtype=bool),
            loss=self.network.loss.house,
            sample=self.sample,
        )


def fit_network(model: nn.Module, loss: Any, loader: Any, decay: Penalty) -> Fitted:
    """Check that the loss is the same in every pass, and take it, its gradient and counts at ``w₀``.

    Cost: a pass with gradient and one without, and another without where the loader shuffles.

    Parameters
    ----------
    model : nn.Module
        It is not changed.
    loss : as for :func:`eigenshrink.networks.losses.find_loss`
        None: the one that the model computes itself from labels.
    loader : as for :func:`eigenshrink.networks.batches.batches`
    decay : Penalty
        With factors of all trainable weights, in the order of :class:`Parameters`.

    Raises
    ------
    InputError
        If two passes differ, or a batch, the loss or the weights cannot be used.
    """
    network = network_of(model, loss, loader)
    with theirs(network):
        passed = check(network, loader)
    keep, places = used(network.parameters, passed)
    notes = tuple(_notes(network, passed, network.batches(loader).loader))
    small = Network(Parameters.of(model, keep), network.loss)
    return Fitted(
        network=small,
        data=small.batches(loader),
        passed=passed,
        weights=small.parameters.flat(),
        gradient=passed.gradient[places],
        alpha=decay.alpha0,
        penalty_factor=np.asarray(decay.penalty_factor, dtype=np.float64)[places],
        notes=notes,
    )


@contextmanager
def theirs(network: Network) -> Iterator[None]:
    """Say whose error it is when a model does not take the batches that it is given."""
    try:
        yield
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, EigenshrinkError):
            raise
        said = " ".join(str(error).split())
        raise InputError(
            f"{type(network.model).__name__} raised {type(error).__name__} on a batch of the loader: {said}; "
            "give the batches that it was trained on"
        ) from error


def used(parameters: Parameters, passed: Pass) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Names of the tensors that the loss depends on in some batch, and their places in the flat vector."""
    kept = [weight for weight, known in zip(parameters.weights, passed.used, strict=True) if known]
    places = [np.arange(weight.start, weight.stop) for weight in kept]
    return tuple(weight.names[0] for weight in kept), np.concatenate([np.zeros(0, dtype=np.intp), *places])


def _notes(network: Network, passed: Pass, loader: Any) -> Iterator[str]:
    """In words what is left out or differs from the training."""
    parameters, model = network.parameters, network.model
    unused = [w for w, known in zip(parameters.weights, passed.used, strict=True) if not known]
    if unused:
        yield f"{_many(unused)}: no gradient reaches them, so they are left out"
    frozen = [(name, w.numel()) for name, w in model.named_parameters() if not w.requires_grad]
    if frozen:
        yield f"{sum(size for _, size in frozen)} weights in {_named([n for n, _ in frozen])} are frozen"
    tied = [weight for weight in parameters.weights if len(weight.names) > 1]
    for weight in tied:
        yield f"{' and '.join(map(repr, weight.names))} are the same weights and count once"
    if parameters.coarse:
        yield "weights of 16 bits are computed with in float32"
    modules = list(model.modules())
    if any(isinstance(module, _BatchNorm) for module in modules):
        yield "batch normalisation uses its running statistics, as when the model predicts"
    if any(isinstance(module, _DropoutNd) and module.p > 0 for module in modules):
        yield "dropout is off, as when the model predicts: the loss here is not the one with dropout"
    if lost := dropped(loader):
        yield f"drop_last leaves out the last {lost} rows"


def _many(weights: list[Any]) -> str:
    size = sum(weight.stop - weight.start for weight in weights)
    return f"{size} weights in {_named([weight.names[0] for weight in weights])}"


def _named(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:3]))
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more tensors"
