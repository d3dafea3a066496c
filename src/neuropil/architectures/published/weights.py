"""Published weights: finding, reading and loading them into a network by name."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from neuropil.architectures.published import hub
from neuropil.architectures.published.architecture_facts import facts_of
from neuropil.architectures.published.weight_transfer import (
    LoadReport,
    load_layers,
    match_names,
    red_first,
    strip_prefix,
)
from neuropil.checks import shown
from neuropil.saving.tensor_file import read_arrays, read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from neuropil.architectures.published.architecture_facts import Architecture
    from neuropil.core import Network

# Suffixes of formats that may run code when they are loaded.
PICKLES = {".pth", ".pt", ".bin", ".ckpt", ".pkl", ".tar"}


def load_weights(
    network: Network,
    weights: str | PathLike[str] | Mapping[str, Tensor],
    architecture: Callable[..., Network],
) -> LoadReport:
    """Load published weights into a network by name, without ever unpickling.

    The names of torchvision, timm and this library are recognised, also after the prefixes that
    wrappers add, such as ``module.``, ``model.`` and ``_orig_mod.``. If the images have another
    number of channels, the first layer's filters are summed (one channel) or repeated and
    scaled. Where the form of images that the weights expect is known, the network takes images
    with values from 0 to 255, red first. If the number of classes differs, the last layer keeps
    its random weights. A warning reports what was adapted or not found.

    Args:
        network: The network that `architecture` returned.
        weights: ``"imagenet"`` for the published weights, which about half of the
            architectures have (see the column "weights" of ``neuropil architectures``);
            ``"hub:owner/name"``, or ``"hub:owner/name@revision"``, for a repository of the hub;
            a file in the safetensors format, or of NumPy arrays (``.npz``); or a state dict in
            memory.
        architecture: The function of `neuropil.architectures` whose names to expect, such as
            `resnet18`.

    Returns:
        A report on what was adapted, not found and not used.

    Raises:
        FileNotFoundError: When the file does not exist.
        ValueError: When the architecture has no published weights, the hub cannot be reached or
            lacks the file, the file is damaged or of another format, or the weights belong to
            another architecture.

    Example:
        >>> from neuropil.architectures import resnet20
        >>> one, other = resnet20(), resnet20()
        >>> loaded = load_weights(one, other.state_dict(), resnet20)
        >>> loaded.drawn, torch.equal(one.layers["softmax1"].weight, other.softmax1.weight)
        ([], True)
    """
    known = require_architecture(architecture)
    state, source, normalization = read(weights, known)
    state, prefix = strip_prefix(network, state, known)
    names, missing, origin = match_names(network, state, known, source)
    form = known.forms.get(origin)
    if form is not None:
        state = red_first(state, names) if form.blue_first else state
        normalization = normalization or (form.mean, form.std)
    loaded = load_layers(network, state, names, source, known)
    if prefix:
        loaded.adapted.append(f"The prefix {prefix!r} of its names is removed")
    loaded.drawn += [
        f"{name} is not in {source} and keeps its random weights" for name in missing
    ]
    if normalization is not None:
        normalize(network, *normalization)
    if loaded.adapted or loaded.drawn or loaded.unused:
        warnings.warn(str(loaded), stacklevel=3)
    return loaded


def require_architecture(architecture: Callable[..., Network]) -> Architecture:
    """Return the published facts of an architecture.

    Raises:
        ValueError: When the function is not an architecture.
    """
    facts = facts_of(architecture)
    if facts is None:
        raise ValueError(
            f"load_weights takes a function of neuropil.architectures, such as resnet18, got "
            f"{shown(architecture)}."
        )
    return facts


def read(
    weights: str | PathLike[str] | Mapping[str, Tensor], known: Architecture
) -> tuple[Mapping[str, Tensor], str, tuple[Any, Any] | None]:
    """Return the tensors by name, their source, and the mean and scale that they expect.

    Raises:
        ValueError: When the architecture has no known published weights.
    """
    if isinstance(weights, Mapping):
        return cast("Mapping[str, Tensor]", weights), "the given state", None
    text = str(weights)
    if text == "imagenet":
        if known.published is None:
            raise ValueError(
                f"{known.name} has no known published weights: give a safetensors file, "
                f'or "hub:owner/name".'
            )
        published = known.published
        path = hub.fetch(published.repository)
        return from_file(path), published.repository, (published.mean, published.std)
    if text.startswith("hub:"):
        repository = text.removeprefix("hub:")
        return from_file(hub.fetch(repository)), repository, None
    return from_file(Path(text)), text, None


def from_file(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a file.

    Raises:
        FileNotFoundError: When the file does not exist.
        ValueError: When the file is damaged, or its format may run code when it is loaded.
    """
    if path.suffix in PICKLES:
        raise ValueError(
            f"{path} is a pickle, which can run code when it is loaded: convert it where you "
            f"trust it, with safetensors.torch.save_file(torch.load({path.name!r}, "
            f'weights_only=True), "{path.stem}.safetensors").'
        )
    if not path.is_file():
        raise FileNotFoundError(
            f'file {path} not found: weights must be "imagenet", "hub:owner/name", a '
            f"safetensors or an npz file."
        )
    return read_arrays(path) if path.suffix == ".npz" else read_tensors(path)


def normalize(network: Network, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    """Set the mean and scale of the input layer, for images of bytes."""
    (source,) = network.inputs
    channels = source.output_shape()[0]
    values = torch.tensor([mean, std]) * 255
    if channels != values.shape[1]:
        values = values.mean(1, keepdim=True).expand(2, channels or 1)
    source.set_normalization(*values)  # pyright: ignore[reportCallIssue]  # only Input is a source
