"""The forward pass of a network as generated source, as fast as hand-written code."""

from __future__ import annotations

import functools
import linecache
import types
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from typing_extensions import override

from neuropil.core.graph import OPEN, Graph
from neuropil.core.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


# Names of the hook dicts of a module. Hooks of the first kind get the input, which stays
# intact.
LISTENERS = ("_forward_pre_hooks", "_forward_hooks", "_backward_hooks", "_backward_pre_hooks")


class GeneratedForward:
    """Descriptor for ``forward``, which is generated at the first access and then stored.

    As an instance attribute it takes precedence over this descriptor, so that later calls have
    no overhead. Networks inside are prepared as well: a compiler that traces the outer one must
    find plain functions.
    """

    def __get__(self, network: Any, owner: type | None = None) -> Any:
        del owner
        if network is None:
            return self
        network.require_built()
        forward = types.MethodType(compile_graph(network.graph, network.input_names), network)
        network.__dict__["forward"] = forward
        for module in network.children():
            for inner in module.modules():
                if isinstance(inner, RunsGraph):
                    _ = inner.forward
        return forward


class RunsGraph:
    """Base class of networks and blocks, whose child modules run as ``graph`` says."""

    graph: Any
    # Returns the output for a batch, or a tuple of several outputs.
    forward: Any = GeneratedForward()

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs, also the keywords by which `forward` takes them."""
        return ()

    @override
    def __getstate__(self) -> dict[str, Any]:
        # The generated function cannot be pickled; it is generated again at the next call.
        return {key: value for key, value in self.__dict__.items() if key != "forward"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Calls are counted by the identity of the layers, which differs in a copy.
        if (graph := state["graph"]) is not None:
            state = {**state, "graph": Graph.of(graph.nodes, graph.outputs)}
        super().__setstate__(state)  # pyright: ignore[reportAttributeAccessIssue]  # modules have it


def compile_graph(graph: Graph, names: tuple[str, ...]) -> Callable[..., Any]:
    """Return the function that runs a graph on the child modules of a module.

    It unpacks the children by position, so hooks and replaced children work, and names never
    occur in the source.

    Args:
        graph: The graph.
        names: Names of its inputs, as keywords of the function.
    """
    return function(source(graph), names)


def source(graph: Graph) -> str:
    """Return the source for a graph: numbered variables and calls of numbered children."""
    numbers: dict[int, int] = {}
    for node in graph.nodes:
        numbers.setdefault(id(node.layer), len(numbers))
    takes = [place for place, node in enumerate(graph.nodes) if not node.inputs]
    values: dict[int, str] = {OPEN: "x0"} if graph.is_open else {}
    arguments = [f"x{k}" for k in range(len(takes) + graph.is_open)]
    fed = dict(zip(takes, arguments[graph.is_open :], strict=True))
    last_use = {OPEN: -1}
    for place, node in enumerate(graph.nodes):
        last_use[place] = place
        last_use.update(dict.fromkeys(node.inputs, place))
    last_use.update(dict.fromkeys(graph.outputs, len(graph.nodes)))
    children = ", ".join(f"m{k}" for k in range(len(numbers)))
    lines = [
        f"def forward(self, {', '.join(arguments)}):",
        f"    {children}, = self._modules.values()",
    ]
    free: list[str] = []
    used = len(arguments)
    for place, node in enumerate(graph.nodes):
        given = [fed[place]] if place in fed else [values[i] for i in node.inputs]
        # A variable is reused as soon as its value is no longer needed, to free activations
        # early.
        dying = [values[i] for i in dict.fromkeys(node.inputs) if last_use[i] == place]
        dying += [fed[place]] if place in fed else []
        call = call_of(graph, place, numbers, given, alone=bool(dying))
        if not dying and not free:
            dying = [f"x{used}"]
            used += 1
        target, *rest = dying or [free.pop()]
        lines.append(f"    {target} = {call}")
        if rest:
            lines.append(f"    {' = '.join(rest)} = None")
            free += rest
        values[place] = target
    lines.append(f"    return {', '.join(values[position] for position in graph.outputs)}")
    return "\n".join(lines) + "\n"


def call_of(
    graph: Graph, place: int, numbers: Mapping[int, int], given: list[str], *, alone: bool
) -> str:
    """Return the source of a node's call, in place if its input may be overwritten.

    Args:
        graph: The graph.
        place: Position of the node.
        numbers: Number of each layer, by the identity of the layer.
        given: The variables that it takes.
        alone: Whether no other node takes its input.
    """
    node = graph.nodes[place]
    number = numbers[id(node.layer)]
    call = f"m{number}({', '.join(given)})"
    previous = node.inputs[0] if len(node.inputs) == 1 else OPEN
    if previous == OPEN or not alone or node.layer.in_place is None:
        return call
    maker = graph.nodes[previous]
    if not maker.layer.makes_new(len(maker.inputs)):
        return call
    overwrites = f"may_overwrite(m{numbers[id(maker.layer)]}, m{number})"
    return f"m{number}.in_place({given[0]}) if {overwrites} else {call}"


def may_overwrite(previous: nn.Module, layer: nn.Module) -> bool:
    """Return whether a layer may overwrite its input, which nothing else may observe.

    It may not if one of the two modules was replaced or has hooks.
    """
    return (
        isinstance(previous, Layer)
        and isinstance(layer, Layer)
        and layer.in_place is not None
        and previous.makes_new(2)
        and not any(map(previous.__dict__.get, LISTENERS[1:]))
        and not any(map(layer.__dict__.get, LISTENERS))
        and not torch.compiler.is_compiling()
    )


@functools.lru_cache(maxsize=256)
def function(text: str, names: tuple[str, ...]) -> Callable[..., Any]:
    """Return the function that the source defines; networks with equal structure share it.

    Args:
        text: The source, with numbered variables.
        names: Names of the last arguments, which the finished function gets.
    """
    filename = f"<neuropil network {abs(hash(text)):x}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"may_overwrite": may_overwrite}
    exec(compile(text, filename, "exec"), namespace)  # the text contains nothing from outside
    forward = namespace["forward"]
    forward.__code__ = with_argument_names(forward.__code__, names)
    return forward


def with_argument_names(code: types.CodeType, names: tuple[str, ...]) -> types.CodeType:
    """Return compiled code with the last arguments renamed, unless a name is not a keyword."""
    variables = [f"_{name}" if name in names else name for name in code.co_varnames]
    first = code.co_argcount - len(names)
    for place, name in enumerate(names, first):
        if name.isidentifier():  # the second call of a shared input is "input1@2"
            variables[place] = name
    return code.replace(co_varnames=tuple(variables))
