"""Networks as text: printed as the expression that makes them, and read, never evaluated."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from typing import TYPE_CHECKING, Any, cast

import torch

from neuropil.core.graph import OPEN, Graph
from neuropil.core.layer import Composable, Layer
from neuropil.text import nearest, reason, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core.network import Network

# Wider expressions are set one layer a line.
WIDTH = 88
END = -2
# Limits of what is read: a thousand layers have some 30,000 characters, VGG-16 138 million
# parameters.
LONGEST = 100_000
MOST_PARAMETERS = 2**29
LONGEST_LINE = 1000


# Printing


class NotSeriesParallelError(Exception):
    """The graph cannot be written with ``>>`` and `parallel`."""


def expression(network: Network) -> str | None:
    """Return the network as an expression; ``None`` where it is not series-parallel."""
    if any(node.call for node in network.nodes):
        return None
    try:
        parts = Printer(network.graph).series(OPEN, END, set(range(len(network.nodes))))
    except NotSeriesParallelError:
        return None
    line = " >> ".join(parts)
    return line if len(line) <= WIDTH else "(\n    " + "\n    >> ".join(parts) + "\n)"


def listing(network: Network) -> str:
    """Return one line a node: its name, its layer and what it takes."""
    names = network.node_names
    lines = []
    for name, node in zip(names, network.nodes, strict=True):
        takes = ", ".join("open" if i == OPEN else names[i] for i in node.inputs)
        lines.append(f"    {name} = {node.layer!r}" + f"({takes})" * bool(node.inputs))
    gives = ", ".join(names[position] for position in network.graph.outputs)
    return "\n".join(("Network(", *lines, f"    gives {gives}", ")"))


class Printer:
    """Takes a graph apart into series and parallel parts.

    Args:
        graph: The graph; its inputs and open ends count as one value in front, its outputs as
            one node behind.
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
        """Return the parts that lead from a value to the node `end`.

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
        """Return the first node that every path from the users comes through."""
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
        """Return what leads from a value to each input of the node where branches meet.

        Raises:
            NotSeriesParallelError: When a branch is empty or two of them share a node.
        """
        texts: list[str] = []
        taken: set[int] = set()
        sinks = [s for s in self.takes[meet] if s == value or s in within]
        for sink in sinks:
            branch = self.between(value, sink, within)
            if not branch or branch & taken:
                raise NotSeriesParallelError
            taken |= branch
            parts = self.series(value, meet, branch)
            texts.append(" >> ".join(parts))
        # Whatever leaves the value and never reaches the meeting point would be lost.
        leaving = {u for u in self.users.get(value, ()) if u in within} - {meet}
        if leaving - taken:
            raise NotSeriesParallelError
        return texts

    def between(self, value: int, sink: int, within: set[int]) -> set[int]:
        """Return the nodes from after a value up to and including a sink.

        Raises:
            NotSeriesParallelError: When one of them also takes something from elsewhere.
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


# Reading


def parse(text: str) -> Composable:
    """Return the network that an expression describes; it is read, never evaluated.

    Raises:
        ValueError: When it is no such expression, names a layer that does not exist, or
            describes more than may be read.
    """
    if len(text) > LONGEST:
        raise ValueError(
            f"{shortened(text)} has {len(text):,} characters, and a network expression at most "
            f"{LONGEST:,}."
        )
    try:
        tree = ast.parse(text.strip(), mode="eval")
        # On the meta device first, where nothing takes memory.
        with torch.device("meta"):
            planned = read(tree.body)
        if torch.empty(0).is_meta and isinstance(planned, Composable):
            return planned
        check_size(planned, text)
        return read(tree.body)
    except (SyntaxError, RecursionError, MemoryError) as error:
        if isinstance(error, MemoryError) and error.args:  # a layer's own words
            raise ValueError(f"{shortened(text)}: {error}") from None
        what = getattr(error, "msg", None) or "it is nested too deeply"
        line = f"{shortened(text)} is not a network expression: {what}."
        raise ValueError(line) from None
    except ValueError as error:
        if len(str(error)) <= LONGEST_LINE:
            raise
        raise type(error)(f"{reason(error)}.") from None
    except Exception as error:  # of a layer that was given what it does not expect
        raise ValueError(f"{shortened(text)} cannot be built: {reason(error)}.") from error


def check_size(planned: Any, text: str) -> None:
    """Refuse what is not a network, or one that is too large for an expression.

    Raises:
        ValueError: When it is.
    """
    if not isinstance(planned, Composable):
        raise ValueError(f"{shortened(text)} is not a network: join layers by >>.")
    modules = planned if isinstance(planned, torch.nn.Module) else torch.nn.Identity()
    count = sum(parameter.numel() for parameter in modules.parameters())
    if count > MOST_PARAMETERS:
        raise ValueError(
            f"{shortened(text)} has {count:,} parameters, and a network expression at most "
            f"{MOST_PARAMETERS:,}: build it in Python."
        )


def read(node: ast.expr) -> Any:
    """Return what one part of an expression describes.

    Raises:
        ValueError: When it is anything but layers, operations, initialisers and literals.
    """
    match node:
        case ast.BinOp(_, ast.RShift() | ast.BitOr(), _):
            return chain(node)
        case ast.Call(ast.Name(name), args, keywords):
            return call(name, args, keywords)
        case ast.Tuple(items) | ast.List(items):
            return tuple(map(read, items))
        case ast.Name(name):
            near = nearest(name, catalogue())
            raise ValueError(f"{shortened(name)} lacks its brackets: Relu().{near}")
    return literal(node)


def literal(node: ast.expr) -> Any:
    """Return a number, a string or None.

    Raises:
        ValueError: When the part of the expression is none of them.
    """
    match node:
        case ast.Constant(int() | float() | str() | None as value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            return -value
    raise ValueError(
        f"{shortened(ast.unparse(node))} is not allowed in a network expression: only layers, "
        f">>, |, parallel, repeat, initialisers, numbers, strings and tuples are read."
    )


def chain(node: ast.BinOp) -> Any:
    """Return the networks of ``a >> b | c`` composed from the left, however many there are.

    Raises:
        ValueError: When one of them is not a network.
    """
    signs: list[Any] = []
    parts: list[ast.expr] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp) and isinstance(first.op, ast.RShift | ast.BitOr):
        signs.append(first.op)
        parts.append(first.right)
        first = first.left
    result = read(first)
    for sign, part in zip(reversed(signs), reversed(parts), strict=True):
        result = composed(result, sign, read(part))
    return result


def composed(left: Any, sign: ast.RShift | ast.BitOr, right: Any) -> Composable:
    """Return two networks joined or set side by side.

    Raises:
        ValueError: When one of the two is none.
    """
    for side in (left, right):
        if not isinstance(side, Composable):
            raise ValueError(
                f"{shortened(repr(side))} is not a layer, so it cannot be joined to one."
            )
    return left >> right if isinstance(sign, ast.RShift) else left | right


def call(name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> Any:
    """Return what a call of a public name makes.

    Raises:
        ValueError: When the name is not public or does not take these arguments.
    """
    if any(isinstance(item, ast.Starred) for item in args) or any(
        k.arg is None for k in keywords
    ):
        raise ValueError(f"{name}(…): * and ** are not allowed in a network expression.")
    values = [read(item) for item in args]
    options = {cast("str", keyword.arg): read(keyword.value) for keyword in keywords}
    return made(name, values, options)


def made(name: str, values: list[Any], options: dict[str, Any]) -> Any:
    """Return the layer, initialiser or network that a public name makes from plain arguments.

    Raises:
        ValueError: When the name is not public or does not take these arguments.
    """
    maker = known(name)
    try:
        inspect.signature(maker).bind(*values, **options)
        return maker(*values, **options)
    except TypeError as error:
        raise ValueError(f"{name}: {reason(error)}.") from None


def known(name: str) -> Callable[..., Any]:
    """Return what a public name stands for.

    Raises:
        ValueError: When there is none; the nearest is suggested.
    """
    names = catalogue()
    if name not in names:
        raise ValueError(f"there is no layer {shortened(name)}.{nearest(name, names)}")
    return names[name]


def catalogue() -> dict[str, Callable[..., Any]]:
    """Return what a network may name: public layers, initialisers, users' own layers."""
    # The catalogue of layers is built on this package, so it is asked for only here.
    layers = importlib.import_module("neuropil.layers")
    init = importlib.import_module("neuropil.init")
    own = {cls.__name__: cls for cls in descendants(Layer)}
    public = {n: getattr(m, n) for m in (init, layers) for n in m.__all__}
    return own | public


def descendants(cls: type[Layer]) -> list[type[Layer]]:
    """Return every class of layers that has been defined, users' own among them."""
    below = cls.__subclasses__()
    return [*below, *(deeper for child in below for deeper in descendants(child))]
