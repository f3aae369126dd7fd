"""The same graph with less work: nothing is computed twice, nothing that is known to be zero."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx
from torch.fx.node import Argument

aten = torch.ops.aten

SAME = (aten.alias.default, aten.detach.default)
VIEWS = (aten.view.default, aten._unsafe_view.default)
FILLED = (aten.copy.default, aten.fill.Tensor)  # with the second argument
ZERO = (
    aten.zeros.default,
    aten.zeros_like.default,
    aten.new_zeros.default,
    aten._efficientzerotensor.default,
)
ZERO_WITH_FIRST = (  # zero where the first argument is
    *(aten.expand.default, aten.t.default, aten.transpose.int, aten.permute.default),
    *(aten.reshape.default, aten.unsqueeze.default, aten.squeeze.dim, aten.clone.default, aten.neg.default),
    *(aten.slice.Tensor, aten.select.int, aten.sum.dim_IntList),
    *(aten._to_copy.default, aten.threshold_backward.default),
)
ZERO_WITH_EITHER = (aten.mul.Tensor, aten.mm.default, aten.bmm.default)


def simplify(graph: fx.Graph) -> None:
    """Merge nodes of one meaning and drop those that add zero, in place.

    Tangents of what has none, such as those of the rows, are zeros that PyTorch writes out; whole
    convolutions with them are saved.
    """
    _write_nothing(graph)
    if any("as_strided" in str(node.target) for node in graph.nodes):
        return  # it depends on how what it reads lies in memory
    known: dict[object, fx.Node] = {}
    zeros: set[fx.Node] = set()
    for node in list(graph.nodes):
        if node.op != "call_function" or node.is_impure():
            continue
        if node.target in VIEWS:
            node.target = aten.reshape.default  # a view where memory allows it, as it did when traced
        if _zero(node, zeros):
            zeros.add(_cheap_zero(graph, node))
            continue
        same = _same_as(node, zeros) or known.setdefault(_meaning(node), node)
        if same is not node:
            node.replace_all_uses_with(same)
            graph.erase_node(node)
    graph.eliminate_dead_code()


def _zero(node: fx.Node, zeros: set[fx.Node]) -> bool:
    """Whether it is zero, whatever it is given."""
    first = node.args[0] if node.args else None
    if node.target in ZERO:
        return True
    if node.target in ZERO_WITH_FIRST:
        return first in zeros
    if node.target in ZERO_WITH_EITHER:
        return any(arg in zeros for arg in node.args)
    if node.target is aten.convolution.default:
        bias = node.args[2]
        return (first in zeros or node.args[1] in zeros) and (bias is None or bias in zeros)
    return node.target is operator.getitem and _zero_gradient(node, zeros)


def _zero_gradient(node: fx.Node, zeros: set[fx.Node]) -> bool:
    """Whether it is the gradient of a convolution in one of its arguments, and zero."""
    source, place = node.args
    if not isinstance(source, fx.Node) or source.target is not aten.convolution_backward.default:
        return False
    slope, rows, kernel = source.args[:3]
    others = {0: kernel, 1: rows}
    return slope in zeros or (isinstance(place, int) and others.get(place) in zeros)


def _cheap_zero(graph: fx.Graph, node: fx.Node) -> fx.Node:
    """One stored zero of the same shape, in place of the node."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor):
        return node
    with graph.inserting_before(node):
        one = graph.call_function(aten.zeros.default, ([],), {"dtype": value.dtype, "device": value.device})
        zero = graph.call_function(aten.expand.default, (one, list(value.shape)))
    zero.meta.update(node.meta)
    node.replace_all_uses_with(zero)
    graph.erase_node(node)
    return zero


def _same_as(node: fx.Node, zeros: set[fx.Node]) -> fx.Node | None:
    """An earlier node of the same value."""
    first = node.args[0] if node.args else None
    if node.target in SAME and isinstance(first, fx.Node):
        return first
    if node.target in FILLED and isinstance(node.args[1], fx.Node) and _alike(node.args[1], node):
        return node.args[1]
    if node.target is aten.add.Tensor and len(node.args) == 2 and not node.kwargs:
        kept = [arg for arg in node.args if arg not in zeros]
        if len(kept) == 1 and isinstance(kept[0], fx.Node) and _alike(kept[0], node):
            return kept[0]
    return None


def _alike(one: fx.Node, other: fx.Node) -> bool:
    first, second = one.meta.get("val"), other.meta.get("val")
    if not isinstance(first, torch.Tensor) or not isinstance(second, torch.Tensor):
        return False
    return first.shape == second.shape and first.dtype == second.dtype


def _meaning(node: fx.Node) -> object:
    return node.target, _hashable(node.args), _hashable(node.kwargs)


def _hashable(value: Argument) -> object:
    if isinstance(value, tuple | list):
        return "row", *(_hashable(part) for part in value)
    if isinstance(value, dict):
        return "named", *((name, _hashable(part)) for name, part in value.items())
    return value if isinstance(value, fx.Node) else (type(value), value)


# --- what is written in place -------------------------------------------------------------------------


def writes(node: fx.Node) -> bool:
    """Whether a node writes into what it is given."""
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable


def _write_nothing(graph: fx.Graph) -> None:
    """Give every node that writes into an earlier one a result of its own, which later nodes use."""
    for node in list(graph.nodes):
        if writes(node):
            written = node.args[0]
            if not isinstance(written, fx.Node) or _shared(written, node):
                raise RuntimeError(f"the model writes in place where it cannot be followed ({node.target})")
            node.target = _pure(node)
            for user in [user for user in written.users if node < user]:
                user.replace_input_with(written, node)


def _pure(node: fx.Node) -> Any:
    """The operation that does the same without writing."""
    name, overload = str(node.target).removeprefix("aten.").rsplit(".", 1)
    found = getattr(getattr(aten, name.removesuffix("_"), None), overload, None)
    if not name.endswith("_") or found is None:
        raise RuntimeError(f"the model writes in place where it cannot be followed ({node.target})")
    return found


def _shared(written: fx.Node, writer: fx.Node) -> bool:
    """Whether others see what is written: it is given or held, a view, or has views that are used later."""
    if written.op != "call_function" or _views(written):
        return True
    views = [user for user in written.users if user < writer and _views(user)]
    return any(writer < user or _views(user) for view in views for user in view.users)


def _views(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and any(one.alias_info is not None for one in schema.returns)
