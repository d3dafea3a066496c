"""Composing networks: one after the other, side by side, repeated."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from neuropil.checks import flag, whole
from neuropil.core.graph import Graph, single
from neuropil.core.graph_joins import join_graphs, parallel_graphs
from neuropil.core.graph_shapes import with_input
from neuropil.core.layer import Layer
from neuropil.core.network import Network
from neuropil.core.shape import Shape, ShapeError

if TYPE_CHECKING:
    from neuropil.core.layer import Composable

# More layers than this are a slip, such as repeat(x, 10**9), and would only fill the memory.
MAX_LAYERS = 100_000


def join(*networks: Composable) -> Network:
    """Join networks and layers one after the other: ``join(a, b, c)`` is ``a >> b >> c``.

    What one gives, the next takes: o = c(b(a(x))). One output may feed many inputs, and many
    outputs one merging layer.

    Shape:
        The shape of the first one's input to the shape of the last one's output.

    Args:
        *networks: Networks or layers, at least one.

    Raises:
        ValueError: When nothing is given.
        ShapeError: When a layer cannot take what the one before it gives.

    Example:
        >>> from neuropil.layers import Input, Relu
        >>> join(Input(4), Relu(8), Relu(2)).output_shape
        (2,)
    """
    if not networks:
        raise ValueError("join takes at least one network or layer.")
    return Network(functools.reduce(join_graphs, map(graph_of, networks)))


def parallel(*networks: Composable, share: bool = False) -> Network:
    """Set networks side by side: what is joined before them feeds them all.

    x ↦ (a(x), b(x), …), for a merging layer such as `Concatenate` or `Elementwise`.
    Layer objects that stand in several of them stand in the result once.

    Shape:
        One shape to one shape for each network.

    Args:
        *networks: Networks or layers, at least one.
        share: Call layers that stand in several of them once for each, with the same weights;
            ``parallel(n, n, share=True)`` is the pair of a Siamese network.

    Raises:
        ValueError: When nothing is given.
        ShapeError: When a layer would be called twice without `share`.

    Example:
        >>> from neuropil.layers import Concatenate, Input, Relu
        >>> (Input(4) >> parallel(Relu(8), Relu(2)) >> Concatenate()).output_shape
        (10,)
    """
    if not networks:
        raise ValueError("parallel takes at least one network or layer.")
    share = flag(share, "parallel: share")
    return Network(parallel_graphs(map(graph_of, networks), share=share))


def repeat(network: Composable, n: int, *, share: bool = False) -> Network:
    """Join n copies of a network one after the other, each with its own weights.

    x ↦ (f_n ∘ … ∘ f_1)(x).

    Shape:
        The network's output must fit its input.

    Args:
        network: A network or layer without an `Input`.
        n: How many copies.
        share: Call the same layers n times in place of copying them.

    Raises:
        ShapeError: When the network cannot follow itself.

    Example:
        >>> from neuropil.layers import Input, Relu
        >>> Input(4) >> repeat(Relu(4), 2)
        Input(4) >> Relu(4) >> Relu(4)
    """
    n = whole(n, "the number of repetitions")
    source = graph_of(network)
    if n * len(source.nodes) > MAX_LAYERS:
        raise ShapeError(
            f"repeat would make {n * len(source.nodes):,} layers; the most is {MAX_LAYERS:,}."
        )
    share = flag(share, "repeat: share")
    if n > 1 and source.is_open:
        check_follows_itself(source)
    parts = [shared_call(source, k) if share else numbered_copy(source, k) for k in range(n)]
    return Network(functools.reduce(join_graphs, parts))


# Inputs by which it is tried whether a network can follow itself.
TRIED: tuple[Shape, ...] = ((16,), (16, 16), (16, 64, 64), (16, 32, 32, 32))


def check_follows_itself(source: Graph) -> None:
    """Refuse a network that takes some of the shapes tried, and never what it gives for them.

    Raises:
        ShapeError: When that is so.
    """
    refusal: ShapeError | None = None
    for shape in TRIED:
        for kind in ("float", "int"):
            try:
                given = with_input(source, shape, kind)
            except ShapeError:
                continue
            (end, *more) = (given.nodes[place] for place in given.outputs)
            if more or end.shape is None or end.kind is None:
                return
            try:
                with_input(source, end.shape, end.kind)
            except ShapeError as error:
                refusal = refusal or error
            else:
                return
    if refusal is not None:
        raise ShapeError(f"repeat: a second copy cannot follow the first. {refusal}")


def shared_call(source: Graph, k: int) -> Graph:
    """Return the same layers as their k-th calls."""
    calls = source.calls
    nodes = (n._replace(call=n.call + k * calls[id(n.layer)]) for n in source.nodes)
    return Graph.of(nodes, source.outputs)


def numbered_copy(source: Graph, k: int) -> Graph:
    """Return the k-th copy: own layers, and user names numbered from the second."""
    fresh: dict[int, Layer] = {}
    for node in source.nodes:
        if id(node.layer) not in fresh:
            fresh[id(node.layer)] = layer = node.layer.fresh()
            if k and layer.given_name:
                rename(layer, f"{layer.given_name}_{k + 1}")
    nodes = (node._replace(layer=fresh[id(node.layer)]) for node in source.nodes)
    return Graph.of(nodes, source.outputs)


def rename(layer: Layer, name: str) -> None:
    """Give a copy its own name, in its arguments too."""
    args, kwargs = layer.__dict__["_call"]
    layer.__dict__["_call"] = (args, {**kwargs, "name": name})
    layer.__dict__["given_name"] = name


def graph_of(network: object) -> Graph:
    """Return the graph of a network or layer.

    Raises:
        TypeError: When it is neither.
    """
    if isinstance(network, Network):
        return network.graph
    if isinstance(network, Layer):
        return single(network)
    raise TypeError(
        f"networks are made of layers and networks, got {type(network).__name__}: wrap a "
        f"PyTorch module in Module(…)."
    )


def as_network(network: Composable) -> Network:
    """Return a network as it is, a layer as a network of one."""
    return network if isinstance(network, Network) else Network(graph_of(network))
