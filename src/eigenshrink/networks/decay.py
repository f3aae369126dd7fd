"""The strength that an optimiser trained with, in house units; groups that leave the usual out (M3, M12)."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from eigenshrink.errors import InputError
from eigenshrink.networks.exclude import USUAL, Exclude, excluded
from eigenshrink.networks.hook import attached
from eigenshrink.penalty import one_strength
from eigenshrink.units import convert

if TYPE_CHECKING:
    from eigenshrink.networks.parameters import Parameters

Array = NDArray[np.float64]

PLAIN = {"SGD", "ASGD", "LBFGS", "Rprop", "SparseAdam"}  # of torch.optim: decay inside the gradients, if any
RESCALED = {"Adam", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta"}
BESIDE = {"AdamW", "Adafactor", "Muon"}

ADAPTIVE = "{name} stops where SGD would in full batch; on minibatches it may stop elsewhere (M3)"
NOT_L2 = (
    "{name} takes its decay beside the gradients and rescales only these, so what it trains minimises no "
    "loss plus penalty and its weight_decay says nothing about α (M3)"
)
MOMENTUM = "{name} decays beside the momentum, so that its weight_decay stands for α = wd·(1−μ) (M3)"


@dataclass(frozen=True, eq=False)
class Decay:
    """What an optimiser's decay means as a penalty (M1, M3).

    Attributes
    ----------
    alpha0 : float
        ``α₀``: the largest strength of its groups; NaN where no strength means the same.
    penalty_factor : (p,)
        d: that of each weight relative to it, 0 where it is not penalised; all 1 where nothing is.
    kind : str
        "coupled": inside the gradients. "decoupled": beside them, and convertible. "adamw": beside
        rescaled gradients.
    note : str
        What is to be known of it; "" if nothing.
    unit_factor : float
        The optimiser's number for the same model is ``unit_factor · α``; NaN where there is none.
    """

    alpha0: float
    penalty_factor: Array
    kind: str
    note: str = ""
    unit_factor: float = 1.0


@dataclass(frozen=True)
class _Rule:
    """What one group's decay stands for."""

    kind: str
    alpha: float
    unit_factor: float = 1.0
    note: str = ""


def param_groups(model: nn.Module, weight_decay: float, exclude: Exclude = USUAL) -> list[dict[str, Any]]:
    """Parameter groups with and without decay, for any optimiser: ``SGD(param_groups(model, 1e-4), lr=...)``.

    Parameters
    ----------
    model : Module
    weight_decay : float, >= 0 and finite
        Of what is not excluded.
    exclude : "bias", "norm", name, class of modules, parameter, or several of these
        What is not decayed. The usual: every bias, and what belongs to a module whose class is called
        BatchNorm, LayerNorm, GroupNorm, InstanceNorm or RMSNorm, with any prefix or suffix. A name or class
        stands for everything below such a module: ``exclude=("bias", "norm", nn.Embedding)``.

    Returns
    -------
    list of dict
        One or two groups: "params", "param_names" and "weight_decay". Tied weights are in once, frozen
        ones (``requires_grad`` False) not at all.

    Raises
    ------
    InputError
        If nothing can be trained, or the strength or an exclusion cannot be used.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
    >>> [(group["param_names"], group["weight_decay"]) for group in param_groups(model, 1e-4)]
    [(['0.weight', '2.weight'], 0.0001), (['0.bias', '1.weight', '1.bias', '2.bias'], 0.0)]
    """
    alpha = one_strength(weight_decay, "weight_decay")
    if math.isinf(alpha):
        raise InputError("weight_decay is inf, which no step can follow: give a finite strength")
    left_out = excluded(exclude, model)
    trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    if not trained:
        raise InputError("model has nothing to train: no parameter has requires_grad=True")
    groups = []
    for decay, outside in ((alpha, False), (0.0, True)):
        chosen = [(name, weight) for name, weight in trained if (weight in left_out) is outside]
        if chosen:
            names, weights = map(list, zip(*chosen, strict=True))
            groups.append({"params": weights, "param_names": names, "weight_decay": decay})
    return groups


def read_decay(optimizer: Optimizer, parameters: Parameters) -> Decay:
    """Read α₀ and D from what an optimiser holds now (M1, M3).

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        An :class:`L2Hook` that it carries counts.
    parameters : Parameters
        Those of the model that was trained with it.

    Raises
    ------
    InputError
        If it lacks a parameter of the model or has it twice, maximises, or decays in a way that is not known.
    """
    if not isinstance(optimizer, Optimizer):
        raise InputError(
            f"optimizer is a {type(optimizer).__name__}; it needs a torch.optim.Optimizer. Otherwise give "
            "weight_decay=..., in the unit of the loss"
        )
    rules = [_rule(optimizer, place) for place in range(len(optimizer.param_groups))]
    where = _places(optimizer)
    missing = [weight.names[0] for weight in parameters.weights if _mark(weight.tensor) not in where]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"optimizer does not hold {missing[0]}{more}, which the model can train: give the optimizer that "
            "trained all of it, or freeze what it did not with requires_grad_(False)"
        )
    alphas = np.zeros(parameters.dim)
    hook = attached(optimizer)
    for weight in parameters.weights:
        place, held = where[_mark(weight.tensor)]
        added = 0.0 if hook is None or held in hook.excluded else hook.alphas[place]
        alphas[weight.start : weight.stop] = rules[place].alpha + added
    return _decay(alphas, rules)


def _decay(alphas: Array, rules: list[_Rule]) -> Decay:
    """Put together what the weights ``(p,)`` and the groups say."""
    top = float(alphas.max(initial=0.0))
    factor = alphas / top if top > 0 else np.ones(len(alphas))
    odd = [rule for rule in rules if rule.alpha > 0 and rule.kind != "coupled"]
    speaking = max(odd or rules, key=lambda rule: rule.alpha)
    note = speaking.note if top > 0 else ""
    if speaking.kind == "adamw" and top > 0:
        return Decay(math.nan, factor, "adamw", note, math.nan)
    return Decay(top, factor, speaking.kind, note, speaking.unit_factor)


def _rule(optimizer: Optimizer, place: int) -> _Rule:
    """What the decay of one group stands for."""
    group, name = optimizer.param_groups[place], type(optimizer).__name__
    if group.get("maximize"):
        raise InputError(
            f"{name} has maximize=True in group {place}: what it climbs is not loss plus penalty. Minimise "
            "the negative, or give weight_decay=..."
        )
    wd, known = float(group.get("weight_decay") or 0.0), _known(optimizer)
    adaptive = ADAPTIVE.format(name=name) if known in RESCALED | BESIDE else ""
    if wd == 0 and known != "ASGD":
        return _Rule("coupled", 0.0, note=adaptive)
    if known in BESIDE or (known in RESCALED and group.get("decoupled_weight_decay")):
        return _Rule("adamw", wd, math.nan, NOT_L2.format(name=name))
    if known == "SGDW":
        return _beside_momentum(wd, group, name)
    if known in PLAIN | RESCALED:
        return _Rule("coupled", wd + float(group.get("lambd", 0.0)), note=adaptive)
    raise InputError(
        f"how {name} applies its weight_decay of {wd:g} is not known: give weight_decay=... instead of "
        "optimizer=..., in the unit of the loss; with weight_decay=0 and an L2Hook it is known"
    )


def _known(optimizer: Optimizer) -> str:
    """Name of the optimiser in torch.optim whose step this one takes; "" if it takes another."""
    kind = type(optimizer)
    if kind.__name__ == "SGDW":
        return "SGDW"
    for base in kind.__mro__:
        if f"{base.__module__}.".startswith("torch.optim.") and issubclass(base, Optimizer):
            return base.__name__ if inspect.unwrap(kind.step) is inspect.unwrap(base.step) else ""
    return ""


def _beside_momentum(wd: float, group: dict[str, Any], name: str) -> _Rule:
    """SGD whose decay is no part of the momentum: it stops at ``α = wd(1−μ)/(1−τ)`` with dampening τ."""
    one = convert(1.0, to="torch.SGD.decoupled", momentum=float(group.get("momentum", 0.0)), loss_scale=1.0)
    assert isinstance(one, float)
    unit = one * (1.0 - float(group.get("dampening", 0.0)))
    return _Rule("decoupled", wd / unit, unit, MOMENTUM.format(name=name))


def _places(optimizer: Optimizer) -> dict[object, tuple[int, Tensor]]:
    """Group of each parameter, and how the optimiser holds it."""
    found: dict[object, tuple[int, Tensor]] = {}
    for place, group in enumerate(optimizer.param_groups):
        for tensor in group["params"]:
            if _mark(tensor) in found:
                raise InputError(
                    f"optimizer holds a parameter of shape {tuple(tensor.shape)} twice, in groups "
                    f"{found[_mark(tensor)][0]} and {place}, so that each step decays it twice: name it once"
                )
            found[_mark(tensor)] = place, tensor
    return found


def _mark(tensor: Tensor) -> object:
    """Equal for parameters that are the same numbers in memory."""
    return tensor.data_ptr() or id(tensor), tensor.shape, tensor.stride(), tensor.dtype
