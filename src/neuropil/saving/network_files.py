"""Networks on disk, as ``network.json`` and ``weights.safetensors``, without pickle."""

from __future__ import annotations

import json
import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save as weights_bytes

from neuropil.core.arguments import Arguments, is_array, signature
from neuropil.core.atomic import make_folder, replacing_all
from neuropil.core.composition import MAX_LAYERS
from neuropil.core.graph import OPEN, Graph, Node, single
from neuropil.core.graph_shapes import with_shapes
from neuropil.core.layer import Layer, check_name
from neuropil.core.network import Network
from neuropil.core.reading import read_json
from neuropil.core.shape import ShapeError
from neuropil.saving.layer_catalogue import catalogue, find, make
from neuropil.saving.tensor_file import read_tensors
from neuropil.saving.torch_modules import module_from_plain, module_to_plain
from neuropil.text import reason

if TYPE_CHECKING:
    from os import PathLike

FORMAT = 1
STRUCTURE, WEIGHTS = "network.json", "weights.safetensors"


def save(network: Network, folder: str | PathLike[str]) -> None:
    """Save a network; existing files are replaced only once the new ones are complete.

    Raises:
        ShapeError: When the network has no `Input`, so that its shapes are unknown.
    """
    network.require_built()
    if network.graph.is_open:
        raise ShapeError("a network without an Input cannot be saved: join it to one first.")
    folder = Path(folder)
    structure = json.dumps(to_plain(network), indent=1).encode()
    state = {key: value.detach().contiguous() for key, value in network.state_dict().items()}
    make_folder(folder)
    with replacing_all(folder / WEIGHTS, folder / STRUCTURE) as (weights_file, structure_file):
        weights_file.write(weights_bytes(separate_storage(state)))
        structure_file.write(structure)


def separate_storage(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors without shared storage, which the file format does not support."""
    seen: set[int] = set()
    result: dict[str, torch.Tensor] = {}
    for key, value in state.items():
        place = value.untyped_storage().data_ptr()
        result[key] = value.clone() if place in seen else value
        seen.add(place)
    return result


def to_plain(network: Network) -> dict[str, Any]:
    """Return a network's structure as plain data."""
    return {
        "format": FORMAT,
        "layers": {name: layer_to_plain(layer) for name, layer in network.layers.items()},
        "nodes": [
            {"layer": name, "call": node.call, "inputs": list(node.inputs)}
            for name, node in zip(network.layer_names, network.nodes, strict=True)
        ],
        "outputs": list(network.graph.outputs),
    }


def layer_to_plain(thing: Arguments) -> dict[str, Any]:
    """Return a layer or initialiser as its public name and plain arguments.

    Raises:
        ValueError: When its class could not be found by name on loading.
    """
    cls = type(thing)
    if catalogue().get(cls.__name__) is not cls:
        raise ValueError(
            f"{cls.__module__}.{cls.__qualname__} cannot be saved, since another layer is "
            f"named {cls.__name__!r}: rename the class."
        )
    # An array of initial values is left out: the values themselves are among the weights.
    args = {
        n: argument_to_plain(value, cls, n)
        for n, value in thing.arguments.items()
        if not is_array(value)
    }
    return {"type": cls.__name__, "arguments": args}


def argument_to_plain(value: Any, cls: type, name: str) -> Any:
    """Return one argument as plain data.

    Raises:
        ValueError: When it is code or an object, which cannot be saved.
    """
    match value:
        case None | bool() | str() | int() | float():
            plain = value
        case tuple() | list():
            plain = [argument_to_plain(item, cls, name) for item in value]
        case Network():
            plain = {"network": to_plain(value)}
        case Arguments():
            plain = layer_to_plain(value)
        case torch.nn.Module():
            plain = module_to_plain(value)
        case _ if hasattr(value, "__index__"):
            plain = operator.index(value)  # NumPy integers
        case _:
            what = "a function" if callable(value) else f"a {type(value).__name__}"
            raise ValueError(
                f"{cls.__name__}: {name} is {what}, which cannot be saved: give it by name, or "
                f"write a layer class for it."
            )
    return plain


def load(folder: str | PathLike[str]) -> Network:
    """Load a network; its size is compared with the weights before memory is allocated.

    Raises:
        FileNotFoundError: When a file is missing.
        ValueError: When a file is damaged, or the two files do not match.
    """
    folder = Path(folder)
    for name in (STRUCTURE, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}: is it a saved network?")
    plain = read_json(folder / STRUCTURE, FORMAT)
    with torch.device("meta"):
        network = from_plain(plain, f"{folder / STRUCTURE}")
    state = read_tensors(folder / WEIGHTS)
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        lines = str(error).split("\n", 1)[-1].strip()
        raise ValueError(
            f"{folder / WEIGHTS} does not match {STRUCTURE} in the same folder: "
            f"{reason(ValueError(lines))}."
        ) from None
    # The parameters come first: an Input may have its mean in double precision.
    tensors = [*network.parameters(), *network.buffers()]
    floats = (value.dtype for value in tensors if value.is_floating_point())
    return network.to(next(floats, torch.get_default_dtype()))


def from_plain(plain: dict[str, Any], where: str) -> Network:
    """Return the network that plain data describes.

    Raises:
        ValueError: When it does not describe a network.
        ShapeError: When its layers do not fit.
    """
    try:
        if len(plain["nodes"]) > MAX_LAYERS:
            raise ValueError(f"{len(plain['nodes']):,} layers are more than {MAX_LAYERS:,}")
        layers = {name: layer_from_plain(layer) for name, layer in plain["layers"].items()}
        nodes = [node_from_plain(node, k, layers) for k, node in enumerate(plain["nodes"])]
        outputs = tuple(index(o, len(nodes)) for o in plain["outputs"])
        for name in layers:
            check_name(name)
        if len({(id(n.layer), n.call) for n in nodes}) < len(nodes) or not outputs:
            raise ValueError("a node occurs twice, or no output is given")
        return Network(Graph.of(with_shapes((), nodes), outputs), names=layers)
    except ValueError as error:  # ShapeError among them
        raise type(error)(f"{where}: {reason(error)}.") from None
    except Exception as error:  # of a layer that was given what it does not expect
        raise ValueError(f"{where} is damaged: {reason(error)}.") from None


def node_from_plain(plain: dict[str, Any], place: int, layers: dict[str, Layer]) -> Node:
    """Return one node, whose inputs must be earlier nodes.

    Raises:
        ValueError: When they are not, or their number is wrong for the layer.
    """
    layer = layers[plain["layer"]]
    inputs = tuple(OPEN if i == OPEN else index(i, place) for i in plain["inputs"])
    fewest, most = layer.inputs_taken
    if not fewest <= len(inputs) <= (len(inputs) if most is None else most):
        raise ValueError(f"{plain['layer']} has {len(inputs)} inputs")
    call = index(plain["call"], place + 1)
    mark = object() if call else None
    return single(layer).nodes[0]._replace(inputs=inputs, call=call, mark=mark)


def index(value: Any, end: int) -> int:
    """Return a value that must be a position before `end`.

    Raises:
        ValueError: When it is not.
    """
    if type(value) is not int or not 0 <= value < end:
        raise ValueError(f"{value!r} is not the position of an earlier node")
    return value


def layer_from_plain(plain: dict[str, Any]) -> Layer:
    """Return the layer that plain data describes.

    Raises:
        ValueError: When it describes something else.
    """
    layer = thing_from_plain(plain)
    if not isinstance(layer, Layer):
        raise ValueError(f"{plain['type']!r} is not a layer")
    return layer


def thing_from_plain(plain: dict[str, Any]) -> Any:
    """Return the layer or initialiser that plain data describes.

    Raises:
        ValueError: When it describes something else.
    """
    name, arguments = plain["type"], plain["arguments"]
    maker = find(name)
    if not (isinstance(maker, type) and issubclass(maker, Arguments)):
        raise ValueError(f"{name!r} is not a layer")
    values = {key: argument_from_plain(value) for key, value in arguments.items()}
    positional, options = split_arguments(maker, values)
    return make(name, positional, options)


def split_arguments(maker: type, values: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return positional arguments, which only ``*args`` needs, and keyword arguments."""
    options = dict(values)
    positional: list[Any] = []
    for name, parameter in signature(maker).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL and name in options:
            positional = list(options.pop(name))
    return positional, options


def argument_from_plain(value: Any) -> Any:
    """Return one argument from plain data."""
    match value:
        case list():
            plain = tuple(map(argument_from_plain, value))
        case {"network": network}:
            plain = from_plain(network, "a network inside")
        case {"torch": _}:
            plain = module_from_plain(value)
        case dict():
            plain = thing_from_plain(value)
        case _:
            plain = value
    return plain
