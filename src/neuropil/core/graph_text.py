"""Networks as text: an expression that creates them, or a listing."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from neuropil.core.graph import OPEN, Graph

if TYPE_CHECKING:
    from collections.abc import Sequence


# Wider expressions get one line per layer.
WIDTH = 88
END = -2


class NotSeriesParallelError(Exception):
    """The graph cannot be written with ``>>`` and `parallel`."""


def expression(graph: Graph) -> str | None:
    """Return a graph as an expression; ``None`` if it is not series-parallel."""
    if any(node.call for node in graph.nodes):
        return None
    try:
        parts = Printer(graph).series(OPEN, END, set(range(len(graph.nodes))))
    except NotSeriesParallelError:
        return None
    line = " >> ".join(parts)
    return line if len(line) <= WIDTH else "(\n    " + "\n    >> ".join(parts) + "\n)"


def listing(graph: Graph, names: Sequence[str]) -> str:
    """Return one line per node: its name, layer and inputs."""
    lines = []
    for name, node in zip(names, graph.nodes, strict=True):
        takes = ", ".join("open" if i == OPEN else names[i] for i in node.inputs)
        lines.append(f"    {name} = {node.layer!r}" + f"({takes})" * bool(node.inputs))
    gives = ", ".join(names[position] for position in graph.outputs)
    return "\n".join(("Network(", *lines, f"    gives {gives}", ")"))


class Printer:
    """Decompose a graph into series and parallel parts.

    Args:
        graph: The graph; its inputs count as one value before it, its outputs as one node after
            it.
    """

    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.nodes
        self.takes: dict[int, tuple[int, ...]] = {
            place: node.inputs or (OPEN,) for place, node in enumerate(graph.nodes)
        }
        self.takes[END] = graph.outputs
        self.users: dict[int, list[int]] = {}
        for place, sources in self.takes.items():
            for source in dict.fromkeys(sources):
                self.users.setdefault(source, []).append(place)

    def series(self, value: int, end: int, within: set[int]) -> list[str]:
        """Return the parts from a value to the node `end`.

        Raises:
            NotSeriesParallelError: When branches cross.
        """
        parts: list[str] = []
        while True:
            users = [u for u in self.users.get(value, ()) if u in within]
            if not users:
                return parts
            if len(users) == 1 and self.takes[users[0]] == (value,):
                value = users[0]
                parts.append(repr(self.nodes[value].layer))
                continue
            meet = self.meeting(users, within, end)
            branches = self.branches(value, meet, within)
            parts.append("parallel(" + ", ".join(branches) + ")")
            if meet == end:
                return parts
            value = meet
            parts.append(repr(self.nodes[meet].layer))

    def meeting(self, users: list[int], within: set[int], end: int) -> int:
        """Return the first node on every path from the users."""
        common: set[int] | None = None
        for user in users:
            through = self.always_through(user, within, end)
            common = through if common is None else common & through
        candidates = (common or set()) - {end}
        merging = [node for node in candidates if len(self.takes[node]) > 1]
        return min(merging, default=end)

    def always_through(self, start: int, within: set[int], end: int) -> set[int]:
        """Return the nodes on every path from a node to the end."""
        inside = sorted(node for node in within if node >= start)
        through: dict[int, set[int]] = {}
        for node in reversed(inside):
            users = [u for u in self.users.get(node, ()) if u in within]
            after = [through[u] for u in users]
            if node in self.takes[end] or not users:
                after.append({end})
            through[node] = {node} | functools.reduce(lambda a, b: a & b, after)
        return through[start]

    def branches(self, value: int, meet: int, within: set[int]) -> list[str]:
        """Return the branches from a value to each input of the node where they meet.

        Raises:
            NotSeriesParallelError: When a branch is empty or holds all nodes, or two of them
                share a node.
        """
        texts: list[str] = []
        taken: set[int] = set()
        sinks = [s for s in self.takes[meet] if s == value or s in within]
        for sink in sinks:
            branch = self.between(value, sink, within)
            if not branch or branch & taken or branch == within:
                raise NotSeriesParallelError
            taken |= branch
            parts = self.series(value, meet, branch)
            texts.append(" >> ".join(parts))
        # Nodes that take the value but do not lead to the meeting point would be lost.
        leaving = {u for u in self.users.get(value, ()) if u in within} - {meet}
        if leaving - taken:
            raise NotSeriesParallelError
        return texts

    def between(self, value: int, sink: int, within: set[int]) -> set[int]:
        """Return the nodes from after a value up to and including a sink.

        Raises:
            NotSeriesParallelError: When one of them also takes an output from elsewhere.
        """
        found: set[int] = set()
        waiting = [sink]
        while waiting:
            node = waiting.pop()
            if node == value or node in found:
                continue
            if node not in within:
                raise NotSeriesParallelError
            found.add(node)
            waiting += self.takes[node]
        return found
