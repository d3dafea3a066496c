"""What ``--network`` may be: a public name, an expression, a file or a saved network."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from neuropil.core import format_shape
from neuropil.core.free_memory import require_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Layer, Network, Shape


# How many outputs an architecture gets that has no number of its own, when only looked at.
SOME = 10
# Of a name in a message.
LONGEST_NAME = 200


class Named(NamedTuple):
    """A network that was asked for.

    Attributes:
        network: The network.
        notes: What a person should know about how it came about.
        trained: Whether its weights come from a file, and are to be kept.
    """

    network: Network
    notes: list[str]
    trained: bool = False


def named_network(text: str, shape: Shape, answer: Layer) -> Named:
    """Return the network that a text names.

    Args:
        text: A public architecture's name, an expression, or a path.
        shape: The shape of an example, for what does not say it itself.
        answer: The last layer that the task asks of an architecture.

    Raises:
        ValueError: When it is none of these, or does not fit.
    """
    from neuropil.core import Network

    if is_path(text):
        path = existing(Path(text))
        if path.is_dir():
            notes = [f"starts from the weights in {path}."]
            return Named(resized(Network.load(path), shape), notes, trained=True)
    make, notes = maker_of(text, shape, answer)
    return Named(affordable(make), notes)


def resized(network: Network, shape: Shape | None) -> Network:
    """Return a trained network for pictures of another size, where that is all that differs.

    Raises:
        ShapeError: When the network takes no other size.
    """
    from neuropil.core import ShapeError
    from neuropil.core.prediction import fits
    from neuropil.layers import Input

    have = network.input_shapes
    if shape is None or len(have) != 1 or len(shape) < 2 or fits(shape, have[0]):
        return network
    (source,) = network.inputs
    front = Input(*shape)
    front.load_state_dict(source.state_dict())
    try:
        return front >> network.after(network.node_names[0])
    except ShapeError as error:
        raise ShapeError(
            f"the network was made for {format_shape(have[0])} and the data has "
            f"{format_shape(shape)}; it can follow only where GlobalPooling stands before "
            f"its last layers. {error}"
        ) from None


def published(network: Network, name: str | None, weights: str) -> list[str]:
    """Load published weights into an architecture, and return what a person should know.

    Raises:
        ValueError: When the network is none of the zoo's, or the weights do not fit it.
    """
    import warnings

    from neuropil.architectures import load_weights
    from neuropil.architectures.published.zoo_table import zoo_table

    zoo = zoo_table()
    if name not in zoo:
        raise ValueError(
            f"--weights needs --network NAME, one of {', '.join(zoo)}; got {name!r}."
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = load_weights(network, weights, zoo[name].build)
    others = [str(w.message) for w in caught if str(w.message) != str(loaded)]
    return [*others, str(loaded)]


def structure(text: str, shape: Shape | None, outputs: int | None) -> tuple[Network, list[str]]:
    """Return the network that a text names, without weights: of any size, at no cost.

    Args:
        text: A public architecture's name, an expression, or a path.
        shape: The shape of an example, for what does not say it itself; None if unknown.
        outputs: How many numbers an architecture is to give; None for its own.

    Raises:
        ValueError: When it is none of these, or does not fit.
    """
    make, notes = maker_of(text, shape, outputs)
    return on_meta(make), notes


def maker_of(
    text: str, shape: Shape | None, answer: Layer | int | None
) -> tuple[Callable[[], Network], list[str]]:
    """Return what makes the network that a text names, and what a person should know of it."""
    if is_path(text):
        return from_path(existing(Path(text))), []
    name = text.strip()
    if name.isidentifier():
        return architecture(name, shape, answer), []
    return from_expression(text, shape)


def is_path(text: str) -> bool:
    """Tell whether a text means a file, be it there or not."""
    if "(" in text or ">>" in text:
        return False
    return is_there(text) or text.endswith(".json") or os.sep in text


def is_there(path: str | Path) -> bool:
    """Tell whether there is such a file or folder; none has a name that no file can have."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def existing(path: Path) -> Path:
    """Return a path that is there.

    Raises:
        FileNotFoundError: When it is not.
    """
    if not is_there(path):
        raise FileNotFoundError(f"there is no file or folder {str(path)[:LONGEST_NAME]}.")
    return path


def from_path(path: Path) -> Callable[[], Network]:
    """Return what makes the network whose structure is in a file or folder.

    Raises:
        FileNotFoundError: When it is not in the folder.
    """
    from neuropil.core.reading import read_json
    from neuropil.saving import network_files

    if path.is_dir():
        path = path / network_files.STRUCTURE
        if not path.is_file():
            raise FileNotFoundError(
                f"{path.parent} holds no {path.name}: is it a saved network?"
            )
    plain = read_json(path, network_files.FORMAT)
    return lambda: network_files.from_plain(plain, str(path))


def from_expression(text: str, shape: Shape | None) -> tuple[Callable[[], Network], list[str]]:
    """Return what makes the network of an expression, with an Input in front.

    Raises:
        ValueError: When it is no expression, or the shape of its input is not known.
    """
    from neuropil.core import Network
    from neuropil.layers import Input

    if any(not node.inputs for node in on_meta(lambda: Network.parse(text)).nodes):
        return lambda: Network.parse(text), []
    if shape is None:
        raise ValueError("the network has no Input: give its shape by --input, as in 1,28,28.")
    said = f"the network has no Input: Input{format_shape(shape)} stands in front."
    return lambda: Input(*shape) >> Network.parse(text), [said]


def architecture(
    name: str, shape: Shape | None, answer: Layer | int | None
) -> Callable[[], Network]:
    """Return what makes a network of `neuropil.architectures` for a shape and an answer.

    Args:
        name: Its name.
        shape: The shape of an example; None if unknown.
        answer: The last layer, or how many classes; None for its own.

    Raises:
        ValueError: When there is none of that name, or it needs to know more.
    """
    from neuropil import architectures
    from neuropil.architectures.published.zoo_table import zoo_table
    from neuropil.checks import shown
    from neuropil.cli.suggestions import elsewhere
    from neuropil.core import Layer
    from neuropil.layers import Softmax
    from neuropil.runs import classic_names
    from neuropil.text import nearest

    zoo = zoo_table()
    known = sorted([*zoo, "dense", "small_convolutional"])
    if name not in known:
        classic = classic_names.names()
        near = nearest(name, [*known, *classic]) or elsewhere(name, "--network")
        raise ValueError(
            f"there is no architecture {shown(name)}.{near} Known are "
            f"{', '.join(known)}, and for training {', '.join(classic)}; an expression "
            f"such as 'Relu(64) >> Softmax(10)' or a saved network will do as well."
        )
    maker: Callable[..., Network] = getattr(architectures, name)
    if name in zoo:
        classes = answer.units if isinstance(answer, Softmax) else answer
        if isinstance(classes, Layer):
            raise ValueError(f"{name} names classes, and the data asks for {answer!r}.")
        # What it is on paper, unless there is data: its own input shape.
        asked = {"input_shape": shape, "classes": classes}
        options = {key: value for key, value in asked.items() if value is not None}
        return lambda: maker(**options)
    given = {"outputs": answer or SOME, "input_shape": shape}
    taken = inspect.signature(maker).parameters
    options = {key: value for key, value in given.items() if key in taken and value is not None}
    missing = [k for k, p in taken.items() if p.default is p.empty and k not in options]
    if "input_shape" in missing:
        raise ValueError(f"{name} takes any shape: give one by --input, as in 1,28,28.")
    return lambda: maker(**options)


def on_meta(make: Callable[[], Network]) -> Network:
    """Return a network that takes no memory."""
    import torch

    with torch.device("meta"):
        return make()


def affordable(make: Callable[[], Network]) -> Network:
    """Return a network after a trial without memory: many large layers add up.

    Raises:
        MemoryError: When its weights exceed the memory that is free.
    """
    trial = on_meta(make)
    needed = sum(p.numel() * p.element_size() for p in trial.parameters())
    require_memory(needed, "the network")
    return make()
