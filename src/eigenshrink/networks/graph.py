"""A product that was traced once, in two parts: what the vectors do not touch, and what is linear in them.

The first part is computed once per batch and can be kept; the second is all that a further product costs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

from eigenshrink.errors import InputError
from eigenshrink.networks.simplify import simplify

BATCHED = ("FuncTorchBatched", "FuncTorchBatchedDecomposition", "CompositeImplicitAutograd")


@dataclass(frozen=True, eq=False)
class TwoParts:
    """A function of tangents and other tensors, linear in the tangents.

    Attributes
    ----------
    prepare : callable
        From the other tensors to what the tangents meet, and at the end what was watched.
    apply : callable
        From the tangents and what they meet to the results.
    blocks : bool
        Whether PyTorch has rules for ``apply`` with several tangents at once; else it would loop.
    """

    prepare: Callable[..., tuple[Tensor, ...]]
    apply: Callable[..., tuple[Tensor, ...]]
    blocks: bool


def two_parts(
    product: Callable[[list[Tensor], list[Tensor]], list[Tensor]],
    tangents: Sequence[Tensor],
    others: Sequence[Tensor],
) -> TwoParts:
    """Trace ``product(tangents, others) -> [*results, watched]`` and take it apart.

    Parameters
    ----------
    product : callable
        Results are linear in the tangents; ``watched`` does not depend on them: it can be compared with
        what the model itself gives for other rows.
    tangents, others : sequence of Tensor
        Of the shapes for which the parts will be used.

    Raises
    ------
    InputError
        If it draws random numbers.
    RuntimeError
        If it cannot be traced, such as branches and shapes that depend on values.
    """
    traced = _traced(product, list(tangents), list(others))
    graph = traced.graph
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    _refuse_random(graph)
    _refuse_shapes(graph, _reached(graph, inputs))
    simplify(graph)
    moved, fixed = inputs[: len(tangents)], inputs[len(tangents) :]
    *results, watched = _results(graph)
    moving = _reached(graph, moved)
    met = _met(graph, moving, results)
    prepare = _part(traced, fixed, [*met, watched], lambda node: node not in moving)
    apply = _part(traced, [*moved, *met], results, lambda node: node in moving)
    return TwoParts(prepare, apply, all(map(_has_rule, apply.graph.nodes)))


def _traced(product: Callable[..., Any], tangents: list[Tensor], others: list[Tensor]) -> fx.GraphModule:
    """The operations one by one, those that write in place replaced by others where PyTorch can."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of PyTorch about its own tracing
        try:
            return make_fx(functionalize(product))(tangents, others)
        except RuntimeError:  # it has no rule for an autograd.Function of the user
            return make_fx(product)(tangents, others)


def _has_rule(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return True
    name = f"{schema.name}.{schema.overload_name}" if schema.overload_name else schema.name
    return any(torch._C._dispatch_has_kernel_for_dispatch_key(name, key) for key in BATCHED)


def _results(graph: fx.Graph) -> list[Any]:
    found = graph.output_node().args[0]
    return list(found) if isinstance(found, list | tuple) else [found]


def _refuse_random(graph: fx.Graph) -> None:
    for node in graph.nodes:
        if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()) and node.users:
            raise InputError(
                f"the model draws random numbers in evaluation mode ({node.target}), so that no two "
                "products agree: make dropout or noise depend on self.training"
            )


def _refuse_shapes(graph: fx.Graph, varying: set[fx.Node]) -> None:
    """Refuse shapes that other rows would not have: tracing writes them down as numbers."""
    for node in graph.nodes:
        dynamic = torch.Tag.dynamic_output_shape in getattr(node.target, "tags", ())
        if dynamic and _counts(node, varying):
            raise RuntimeError(f"the shape of a tensor depends on the values of the rows ({node.target})")


def _counts(node: fx.Node, varying: set[fx.Node]) -> bool:
    """Whether the shape of its result follows from values; indexing by whole numbers follows theirs."""
    if node.target is not torch.ops.aten.index.Tensor:
        return node in varying
    places = [place for place in node.all_input_nodes[1:] if place in varying]
    return any(place.meta["val"].dtype in (torch.bool, torch.uint8) for place in places)


def _reached(graph: fx.Graph, start: Iterable[fx.Node]) -> set[fx.Node]:
    """Nodes that depend on some others."""
    found = set(start)
    for node in graph.nodes:
        if node.op != "output" and any(before in found for before in node.all_input_nodes):
            found.add(node)
    return found


def _met(graph: fx.Graph, moving: set[fx.Node], results: Iterable[Any]) -> list[fx.Node]:
    """What the tangents meet: nodes that stand still and are used by moving ones, or are results."""
    used = [before for node in graph.nodes if node in moving for before in node.all_input_nodes]
    used += [node for node in results if isinstance(node, fx.Node)]
    return list(dict.fromkeys(node for node in used if node not in moving))


def _part(
    whole: fx.GraphModule,
    inputs: Sequence[fx.Node],
    results: Sequence[Any],
    wanted: Callable[[fx.Node], bool],
) -> fx.GraphModule:
    """Some of the nodes as a function of their own."""
    graph, placed = fx.Graph(), dict[fx.Node, fx.Node]()
    for number, node in enumerate(inputs):
        placed[node] = graph.placeholder(f"given_{number}")
    for node in whole.graph.nodes:
        if node.op not in ("placeholder", "output") and wanted(node):
            placed[node] = graph.node_copy(node, placed.__getitem__)
    graph.output(map_arg(tuple(results), placed.__getitem__))
    graph.eliminate_dead_code()
    for node in graph.nodes:
        node.meta.clear()  # shapes and stack traces of the tracing
    return fx.GraphModule(_constants(whole, graph), graph)


def _constants(whole: fx.GraphModule, graph: fx.Graph) -> dict[str, Any]:
    """What the graph holds besides its inputs: frozen weights as they are, buffers as they are now."""
    held = {}
    for node in graph.nodes:
        if node.op == "get_attr" and isinstance(node.target, str):
            value = getattr(whole, node.target)
            frozen = isinstance(value, nn.Parameter)
            held[node.target] = value.detach() if frozen else value.detach().clone()
    return held
