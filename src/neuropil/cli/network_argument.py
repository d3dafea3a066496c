"""The network of ``--network``: a public name, an expression, a file or a saved network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from neuropil.core import format_shape
from neuropil.core.free_memory import require_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Network, Shape
    from neuropil.runs.task import Task


# Longest name in an error message.
LONGEST_NAME = 200


class NamedNetwork(NamedTuple):
    """The network of ``--network``.

    Attributes:
        network: The network.
        notes: Notes for the user.
        trained: Whether its weights come from a file and must not be initialised.
    """

    network: Network
    notes: list[str]
    trained: bool = False


def named_network(text: str, shape: Shape, task: Task[Any]) -> NamedNetwork:
    """Return the network that a text names.

    Args:
        text: The name of a public architecture, an expression, or a path.
        shape: Shape of one example, for a network without an Input.
        task: The task, for an architecture.

    Raises:
        ValueError: When the text is none of these, or does not fit.
    """
    from neuropil.core import Network

    if is_path(text):
        path = require_existing(Path(text))
        if path.is_dir():
            notes = [f"training starts from the weights in {path}."]
            return NamedNetwork(resize(Network.load(path), shape), notes, trained=True)
    make, notes = maker_of(text, shape, task)
    return NamedNetwork(build_within_memory(make), notes)


def resize(network: Network, shape: Shape | None) -> Network:
    """Return a trained network for pictures of another size, if only the size differs.

    Raises:
        ShapeError: When the network cannot take another size.
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
            f"the network takes {format_shape(have[0])} and the data has "
            f"{format_shape(shape)}; only a network with GlobalPooling before its last layers "
            f"can take another size. {error}"
        ) from None


def load_published(network: Network, name: str | None, weights: str) -> list[str]:
    """Load published weights into an architecture, and return notes for the user.

    Raises:
        ValueError: When the network is not a published architecture, or the weights do not fit.
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
    """Return the network that a text names on the meta device, without memory for weights.

    Args:
        text: The name of a public architecture, an expression, or a path.
        shape: Shape of one example, for a network without an Input; None if unknown.
        outputs: Number of outputs of an architecture; None for its default.

    Raises:
        ValueError: When the text is none of these, or does not fit.
    """
    make, notes = maker_of(text, shape, outputs)
    return on_meta(make), notes


def maker_of(
    text: str, shape: Shape | None, answer: Task[Any] | int | None
) -> tuple[Callable[[], Network], list[str]]:
    """Return a function that builds the network that a text names, and notes for the user.

    Args:
        text: The name of a public architecture, an expression, or a path.
        shape: Shape of one example; None if unknown.
        answer: The task, or the number of outputs, of an architecture; None for its default.
    """
    if is_path(text):
        return from_path(require_existing(Path(text))), []
    name = text.strip()
    if name.isidentifier():
        check_name(name)
        return lambda: build_named(name, shape, answer), []
    return from_expression(text, shape)


def is_path(text: str) -> bool:
    """Return whether a text is a path, even if nothing exists there."""
    if "(" in text or ">>" in text:
        return False
    return path_exists(text) or text.endswith(".json") or os.sep in text


def path_exists(path: str | Path) -> bool:
    """Return whether a file or folder exists; False for an invalid file name."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def require_existing(path: Path) -> Path:
    """Return the path if it exists.

    Raises:
        FileNotFoundError: When it does not.
    """
    if not path_exists(path):
        raise FileNotFoundError(f"there is no file or folder {str(path)[:LONGEST_NAME]}.")
    return path


def from_path(path: Path) -> Callable[[], Network]:
    """Return a function that builds the network whose structure is in a file or folder.

    Raises:
        FileNotFoundError: When the folder does not contain a structure.
    """
    from neuropil.core.reading import read_json
    from neuropil.saving import network_files

    if path.is_dir():
        path = path / network_files.STRUCTURE
        if not path.is_file():
            raise FileNotFoundError(
                f"{path.parent} does not contain {path.name}: is it a saved network?"
            )
    plain = read_json(path, network_files.FORMAT)
    return lambda: network_files.from_plain(plain, str(path))


def from_expression(text: str, shape: Shape | None) -> tuple[Callable[[], Network], list[str]]:
    """Return a function that builds the network of an expression, with an Input before it.

    Raises:
        ValueError: When the text is not an expression, or the input shape is not known.
    """
    from neuropil.core import Network
    from neuropil.layers import Input

    if any(not node.inputs for node in on_meta(lambda: Network.parse(text)).nodes):
        return lambda: Network.parse(text), []
    if shape is None:
        raise ValueError(
            "the network has no Input: give its shape with --input, as in 1,28,28."
        )
    note = f"the network has no Input: Input{format_shape(shape)} was added before it."
    return lambda: Input(*shape) >> Network.parse(text), [note]


def check_name(name: str) -> None:
    """Check the name of an architecture.

    Raises:
        ValueError: When it is unknown.
    """
    from neuropil.checks import shown
    from neuropil.cli.suggestions import elsewhere
    from neuropil.runs import classic_names
    from neuropil.runs.named_architecture import architecture_names
    from neuropil.text import nearest

    known = architecture_names()
    if name not in known:
        classic = classic_names.names()
        near = nearest(name, [*known, *classic]) or elsewhere(name, "--network")
        raise ValueError(
            f"there is no architecture {shown(name)}.{near} Choose from "
            f"{', '.join(known)}; for training also {', '.join(classic)}; or give an "
            f"expression such as 'Relu(64) >> Softmax(10)', or a saved network."
        )


def build_named(name: str, shape: Shape | None, answer: Task[Any] | int | None) -> Network:
    """Return a public architecture: for a task, or with a number of outputs."""
    from neuropil.runs.named_architecture import architecture

    if shape is None or answer is None or isinstance(answer, int):
        return architecture(name, shape, answer if isinstance(answer, int) else None)
    return answer.named_network(name, shape)


def on_meta(make: Callable[[], Network]) -> Network:
    """Return a network on the meta device, which takes no memory."""
    import torch

    with torch.device("meta"):
        return make()


def build_within_memory(make: Callable[[], Network]) -> Network:
    """Return a network after a check that all its weights fit in memory.

    Raises:
        MemoryError: When the weights exceed the free memory.
    """
    trial = on_meta(make)
    needed = sum(p.numel() * p.element_size() for p in trial.parameters())
    require_memory(needed, "the network")
    return make()
