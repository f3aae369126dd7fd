"""Which parameters of a model the penalty leaves alone: by kind of module, by name, or one by one (M12)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeAlias

from torch import Tensor, nn

from eigenshrink.errors import InputError

Rule: TypeAlias = str | type[nn.Module] | Tensor
"""``"bias"``, ``"norm"``, the name of a module or parameter, a class of modules, or a parameter."""
Exclude: TypeAlias = Rule | Iterable[Rule]

USUAL = ("bias", "norm")

_BIAS = re.compile(r"(^|_)bias($|_)")  # also in_proj_bias and bias_ih_l0
_NORM = re.compile(r"(Batch|Layer|Group|Instance|RMS)Norm")  # also other people's, such as LlamaRMSNorm


def excluded(exclude: Exclude, model: nn.Module | None = None) -> set[Tensor]:
    """Find the parameters that the penalty leaves alone.

    Parameters
    ----------
    exclude : "bias", "norm", name, class of modules, parameter, or several of these
        A name or a class stands for everything below that module. A tied parameter is left out if any of
        its places is.
    model : Module, optional
        Where words, names and classes are looked up.

    Raises
    ------
    InputError
        If a name is not in the model, the model is needed and not given, or an item is something else.
    """
    rules = (exclude,) if isinstance(exclude, str | type | Tensor) else tuple(exclude)
    found: set[Tensor] = set()
    for rule in rules:
        if isinstance(rule, Tensor):
            found.add(rule)
        elif model is None:
            raise InputError(
                f"exclude holds {_said(rule)}, which has to be looked up: give model=..., or the parameters "
                "themselves"
            )
        else:
            found.update(_matching(rule, model))
    return found


def needs_model(exclude: Exclude) -> bool:
    """Whether anything in it has to be looked up."""
    return not isinstance(exclude, Tensor) and (
        isinstance(exclude, str | type) or any(not isinstance(rule, Tensor) for rule in exclude)
    )


def _matching(rule: str | type[nn.Module], model: nn.Module) -> Iterable[Tensor]:
    modules = dict(model.named_modules(remove_duplicate=False))
    if isinstance(rule, type) and issubclass(rule, nn.Module):
        return _below(module for module in modules.values() if isinstance(module, rule))
    if not isinstance(rule, str):
        raise InputError(
            f"exclude holds {_said(rule)}; it needs 'bias', 'norm', a name in the model, a class of modules "
            "such as nn.LayerNorm, or parameters"
        )
    named = dict(model.named_parameters(remove_duplicate=False))
    found: set[Tensor] = {named[rule]} if rule in named else set()
    if rule in modules:
        found.update(modules[rule].parameters())
    if rule == "bias":
        found.update(tensor for name, tensor in named.items() if _BIAS.search(name.rpartition(".")[2]))
    elif rule == "norm":
        found.update(_below(module for module in modules.values() if _NORM.search(type(module).__name__)))
    elif rule not in named and rule not in modules:
        near = get_close_matches(rule, [*modules, *named], n=3) or list(named)[:3]
        raise InputError(
            f"exclude holds {rule!r}, and the model has no such module or parameter: give 'bias', 'norm', or "
            f"a name such as {', '.join(map(repr, near))}"
        )
    return found


def _below(modules: Iterable[nn.Module]) -> Iterable[Tensor]:
    return (parameter for module in modules for parameter in module.parameters())


def _said(rule: object) -> str:
    return rule.__name__ if isinstance(rule, type) else repr(rule)
