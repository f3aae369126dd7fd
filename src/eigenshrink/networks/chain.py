"""From a trained model to its study, on one screen: decay, curvature, fit, path, study."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from torch import nn
from torch.optim import Optimizer

from eigenshrink.curvature import Curvature
from eigenshrink.errors import InputError
from eigenshrink.facts import Facts
from eigenshrink.fit import Fit
from eigenshrink.networks.decay import Decay, read_decay
from eigenshrink.networks.determinism import check
from eigenshrink.networks.exclude import Exclude, excluded
from eigenshrink.networks.fit import Fitted, fit_network
from eigenshrink.networks.measure import NetworkMeasure
from eigenshrink.networks.operators import adapt
from eigenshrink.networks.parameters import Parameters
from eigenshrink.networks.products import network_curvature
from eigenshrink.path import TrainingNotes
from eigenshrink.path.krylov import TRUST
from eigenshrink.path.products import Effort, krylov_path
from eigenshrink.path.weight_names import WeightNames
from eigenshrink.penalty import one_strength
from eigenshrink.record import Asked
from eigenshrink.trained import NetworkStudy

BLOCK = 8  # vectors that are multiplied at once where that must not depend on the clock


def study(
    model: nn.Module,
    loss: Any,
    loader: Any,
    *,
    weight_decay: float | None = None,
    optimizer: Optimizer | None = None,
    val_loader: Any = None,
    curvature: Any = "ggn",
    alpha: Any = "auto",
    criterion: str = "auto",
    tolerance: float = TRUST,
    exclude: Exclude = (),
    effort: Effort | None = None,
) -> NetworkStudy:
    """Answer for every weight decay at once, from one trained network (M5, M18, M19).

    Parameters
    ----------
    model : torch.nn.Module
        Trained, with a decay that is known. It is not changed.
    loss : callable
        ``loss(model(inputs), target)``, a mean: ``nn.CrossEntropyLoss()``, ``nn.MSELoss()``, ...; any other
        function of output and target that gives one number is taken apart by batches.
    loader : DataLoader, list of batches, or (inputs, targets)
        The rows that it was trained on, in any order, without augmentation.
    weight_decay : float, >= 0, optional
        Of SGD, or of Adam inside the gradient: house units. 0.0: it was trained without.
    optimizer : torch.optim.Optimizer, optional
        Read instead: groups of different decay become penalty factors, excluded ones are free (M12).
    val_loader : as loader, optional
        Rows that judge.
    curvature : "ggn", "hessian", or operator
        The Gauss-Newton matrix, which is never negative; the Hessian; or anybody's operator of it.
    alpha : "auto" or strength
    criterion : {"auto", "validation", "evidence"}
        Auto: validation where rows judge.
    tolerance : float, > 0
        Relative error of the predicted change of the loss up to which the path is trusted (M18).
    exclude : "bias", "norm", name, class of modules, parameter, or several of these
        What ``weight_decay`` did not act on; an optimiser says it itself.
    effort : Effort, optional
        What it may cost: weights decomposed whole, products, memory, checkpoint, progress.

    Returns
    -------
    NetworkStudy

    Raises
    ------
    InputError
        If two passes over the data differ (dropout, augmentation, rows left out), the decay is not said,
        or a loss, a batch or an optimiser cannot be used.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> _ = torch.manual_seed(0)
    >>> X = torch.randn(40, 3, dtype=torch.float64)
    >>> y = X[:, :1] + 0.1 * torch.randn(40, 1, dtype=torch.float64)
    >>> model = nn.Linear(3, 1, dtype=torch.float64)
    >>> s = study(model, nn.MSELoss(), (X, y), weight_decay=0.0)
    >>> s.path.trusted  # squared loss of a linear model is a quadratic
    (0.0, inf)
    """
    _checked(tolerance, effort)
    decay = _decay(weight_decay, optimizer, exclude, model)
    fitted = fit_network(model, loss, loader, decay)
    fit = _placed(fitted.fit(_products(curvature, fitted, effort)))
    if val_loader is not None:
        check(fitted.network, val_loader, "val_loader")
    measure = NetworkMeasure.of(fitted.network, fitted.data, val_loader)
    path = krylov_path(fit, fitted.layers, measure, fitted.start_loss, effort, tolerance)
    notes = _notes(model, decay, optimizer, fitted)
    path = replace(path, notes=replace(notes, remarks=(*notes.remarks, *path.notes.remarks)))
    return NetworkStudy(
        path=path,
        facts=Facts.of(path, True, False, bool(np.ptp(fit.penalty_factor) > 0)),
        feature_names=_names(fitted.network.parameters),
        target_names=("loss",),
        loss=path.loss.name,
        asked=Asked(_asked(alpha), criterion),
    )


def _checked(tolerance: Any, effort: Any) -> None:
    """What is wrong with the plain arguments is said before anything is computed."""
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real) or not 0 < float(tolerance) < np.inf:
        raise InputError(f"tolerance is {tolerance!r}: give a number above 0, such as 0.2")
    if not isinstance(effort, Effort | None):
        raise InputError(f"effort is {effort!r}: give en.Effort(products=..., memory=...), or leave it out")


def _asked(alpha: Any) -> Any:
    if isinstance(alpha, str):
        if alpha == "auto":
            return None
        raise InputError(f"alpha must be 'auto' or a strength in [0, inf]; got {alpha!r}")
    return np.asarray(one_strength(alpha))


def _names(parameters: Parameters) -> WeightNames:
    pairs = zip(parameters.names, parameters.tensors(), strict=True)
    return WeightNames((name, tuple(tensor.shape)) for name, tensor in pairs)


def _decay(weight_decay: Any, optimizer: Any, exclude: Exclude, model: nn.Module) -> Decay:
    """The strength it was trained with, from the one place that says it."""
    parameters = Parameters.of(model)
    if (weight_decay is None) == (optimizer is None):
        what = "neither" if optimizer is None else "both"
        raise InputError(
            f"{what} of weight_decay and optimizer given: give the one that says with which decay the model "
            "was trained; weight_decay=0.0 if with none"
        )
    if optimizer is not None:
        if exclude:
            raise InputError(
                "exclude belongs to weight_decay: the groups of the optimizer say what is excluded"
            )
        return read_decay(optimizer, parameters)
    strength = one_strength(weight_decay, "weight_decay")
    if not np.isfinite(strength):
        raise InputError("weight_decay is inf, with which nothing was trained: give a finite strength")
    outside = excluded(exclude, model)
    each = [np.full(one.stop - one.start, float(one.tensor not in outside)) for one in parameters.weights]
    return Decay(strength, np.concatenate(each), "coupled")


def _products(kind: Any, fitted: Fitted, effort: Effort | None) -> Curvature:
    """The curvature that was asked for, or the one that was given.

    Blocks are not timed where a run may be resumed: those of another size round differently.
    """
    if isinstance(kind, str):
        block = BLOCK if effort is not None and effort.checkpoint is not None else None
        return network_curvature(fitted.network, fitted.data, kind, block=block)
    return adapt(kind, fitted.network.parameters)


def _placed(fit: Fit) -> Fit:
    """Where no strength is known the one that leaves least of the gradient (M5 needs none)."""
    if np.isfinite(fit.alpha):
        return fit
    w, g, d = fit.weights[:, 0], fit.gradient[:, 0], fit.penalty_factor
    size = float(d @ w**2)
    found = -float(g[d > 0] @ w[d > 0]) / size if size > 0 else 0.0
    return replace(fit, alpha=max(found, 0.0))


def _notes(model: nn.Module, decay: Decay, optimizer: Optimizer | None, fitted: Fitted) -> TrainingNotes:
    """How it was trained, for words and warnings."""
    parameters, everything = fitted.network.parameters, Parameters.of(model)
    places = zip(parameters.names, parameters.weights, strict=True)
    free = [name for name, one in places if not fitted.penalty_factor[one.start : one.stop].any()]
    return TrainingNotes(
        optimiser="" if optimizer is None else type(optimizer).__name__,
        decay_kind=decay.kind,
        unit_factor=decay.unit_factor,
        excluded=tuple(free),
        frozen=tuple(name for name, weight in model.named_parameters() if not weight.requires_grad),
        unused=tuple(name for name in everything.names if name not in parameters.names),
        gradient_noise=fitted.passed.gradient_noise,
        loss_scale=float(fitted.network.loss.scale()),
        remarks=tuple(filter(None, (decay.note, *fitted.notes))),
    )
