"""The forward pass of a network as generated source, as fast as hand-written code."""

from __future__ import annotations

import functools
import linecache
import types
from typing import TYPE_CHECKING, Any

from neuropil.core.graph import OPEN, Graph

if TYPE_CHECKING:
    from collections.abc import Callable


class GeneratedForward:
    """The ``forward`` of a network: made when it is first asked for, then an attribute of it.

    As an instance attribute it stands before this descriptor, so that later calls cost nothing
    extra. Networks inside are made ready as well: a compiler that traces the outer one must
    find plain functions.
    """

    def __get__(self, network: Any, owner: type | None = None) -> Any:
        if network is None:
            return self
        network.require_built()
        forward = types.MethodType(compiled(network.graph), network)
        network.__dict__["forward"] = forward
        for module in network.children():
            for inner in module.modules():
                if type(inner) is owner:
                    _ = inner.forward
        return forward


def compiled(graph: Graph) -> Callable[..., Any]:
    """Return the function that runs a graph on the children of a module.

    It unpacks the children by position, so hooks and replaced children work, and no name ever
    stands in the source.
    """
    return function(source(graph))


def source(graph: Graph) -> str:
    """Return the source for a graph: numbered locals and calls of numbered children."""
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
        call = f"m{numbers[id(node.layer)]}({', '.join(given)})"
        # A local is used again as soon as its value is, so that activations are freed early.
        dying = [values[i] for i in dict.fromkeys(node.inputs) if last_use[i] == place]
        dying += [fed[place]] if place in fed else []
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


@functools.lru_cache(maxsize=256)
def function(text: str) -> Callable[..., Any]:
    """Return the function that the source defines; networks of one structure share it."""
    filename = f"<neuropil network {abs(hash(text)):x}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {}
    exec(compile(text, filename, "exec"), namespace)  # nothing from outside is in the text
    return namespace["forward"]
