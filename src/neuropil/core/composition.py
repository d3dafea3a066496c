"""Composition of networks: in series, in parallel, repeated."""

from __future__ import annotations

import functools

from neuropil.checks import flag, whole
from neuropil.core.graph import Graph, single
from neuropil.core.graph_joins import join_graphs, parallel_graphs
from neuropil.core.graph_shapes import with_input
from neuropil.core.layer import Composable, Layer
from neuropil.core.network import Network
from neuropil.core.shape import Shape, ShapeError

# A larger number is a mistake, such as repeat(x, 10**9), and would only fill the memory.
MAX_LAYERS = 100_000


def join(*networks: Composable) -> Network:
    """Join networks and layers in series: ``join(a, b, c)`` is ``a >> b >> c``.

    The output of each is the input of the next: o = c(b(a(x))). One output may feed several
    inputs, and several outputs one merging layer.

    Shape:
        The input shape of the first to the output shape of the last.

    Args:
        *networks: Networks or layers, at least one.

    Raises:
        ValueError: When nothing is given.
        ShapeError: When a layer cannot take the output of the one before it.

    Example:
        >>> from neuropil.layers import Input, Relu
        >>> join(Input(4), Relu(8), Relu(2)).output_shape
        (2,)
    """
    if not networks:
        raise ValueError("join takes at least one network or layer, got none.")
    return Network(functools.reduce(join_graphs, map(graph_of, networks)))


def parallel(*networks: Composable, share: bool = False) -> Network:
    """Set networks in parallel, all with the same input.

    x ↦ (a(x), b(x), …), for a merging layer such as `Concatenate` or `Elementwise`.
    A layer object in several of them occurs once in the result.

    Shape:
        One shape to one shape for each network.

    Args:
        *networks: Networks or layers, at least one.
        share: Whether to call a layer that is in several of them once for each, with the same
            weights; ``parallel(n, n, share=True)`` is the pair of a Siamese network.

    Raises:
        ValueError: When nothing is given.
        ShapeError: When a layer would be called twice without `share`.

    Example:
        >>> from neuropil.layers import Concatenate, Input, Relu
        >>> (Input(4) >> parallel(Relu(8), Relu(2)) >> Concatenate()).output_shape
        (10,)
    """
    if not networks:
        raise ValueError("parallel takes at least one network or layer, got none.")
    share = flag(share, "parallel: share")
    return Network(parallel_graphs(map(graph_of, networks), share=share))


def repeat(network: Composable, n: int, *, share: bool = False) -> Network:
    """Join n copies of a network in series, each with its own weights.

    x ↦ (f_n ∘ … ∘ f_1)(x).

    Shape:
        The network's output must fit its input.

    Args:
        network: A network or layer without an `Input`.
        n: Number of copies.
        share: Whether to call the same layers n times instead of copying them.

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
            f"repeat would make {n * len(source.nodes):,} layers; at most {MAX_LAYERS:,}."
        )
    share = flag(share, "repeat: share")
    if n > 1 and source.is_open:
        check_follows_itself(source)
    parts = [
        numbered_copy(source, k) if not share else again(source) if k else source
        for k in range(n)
    ]
    return Network(functools.reduce(join_graphs, parts))


def shared(network: Composable) -> Network:
    """Use a layer at a further place of a network, with the same weights.

    The layer stands in the network once, with one set of parameters, and is called at each
    place: as ``relu1``, ``relu1@2`` and so on. A gradient is the sum over its places.

    Shape:
        That of the layer. All its inputs must need parameters of the same shapes.

    Args:
        network: A layer, or a network all of whose layers are used again; an `Input` in it
            stays the same input.

    Raises:
        TypeError: When it is neither.

    Reference:
        Bromley et al., "Signature verification using a 'Siamese' time delay neural network",
        1993.

    Example:
        >>> from neuropil.layers import Elementwise, Input, Linear, Relu
        >>> tower = Relu(16)
        >>> left, right = Input(4, name="left"), Input(4, name="right")
        >>> pair = parallel(left >> tower, right >> shared(tower)) >> Elementwise("subtract")
        >>> pair.node_names
        ('left', 'relu1', 'right', 'relu1@2', 'elementwise1')
        >>> list(pair.state_dict())
        ['relu1.weight', 'relu1.bias']
    """
    return Network(again(graph_of(network)))


def again(source: Graph) -> Graph:
    """Return the graph with further calls of the same layers; inputs stay as they are."""
    nodes = (n._replace(mark=object()) if n.inputs else n for n in source.nodes)
    return Graph.of(nodes, source.outputs)


# Input shapes that test whether a network can follow itself.
TRIED: tuple[Shape, ...] = ((16,), (16, 16), (16, 64, 64), (16, 32, 32, 32))


def check_follows_itself(source: Graph) -> None:
    """Raise an error if a network takes some of the test shapes, but never its own output.

    Raises:
        ShapeError: When a copy cannot follow another.
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


def numbered_copy(source: Graph, k: int) -> Graph:
    """Return the k-th copy, with new layers; user names are numbered from the second on."""
    fresh: dict[int, Layer] = {}
    for node in source.nodes:
        if id(node.layer) not in fresh:
            fresh[id(node.layer)] = layer = node.layer.fresh()
            if k and layer.given_name:
                rename(layer, f"{layer.given_name}_{k + 1}")
    nodes = (node._replace(layer=fresh[id(node.layer)]) for node in source.nodes)
    return Graph.of(nodes, source.outputs)


def rename(layer: Layer, name: str) -> None:
    """Give a copy its own name, also in its arguments."""
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
        f"networks are composed of layers and networks, got {type(network).__name__}: wrap a "
        f"PyTorch module in Module(…)."
    )


def as_network(network: Composable) -> Network:
    """Return a network unchanged, or a layer as a network of one layer."""
    return network if isinstance(network, Network) else Network(graph_of(network))
