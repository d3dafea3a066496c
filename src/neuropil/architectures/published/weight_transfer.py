"""Transfer of weights with another implementation's names into a network."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.block import Block
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from neuropil.architectures.published.architecture_facts import Architecture
    from neuropil.core import Layer, Network


@dataclass
class LoadReport:
    """Report on weights that were loaded into a network.

    Attributes:
        source: Where the weights are from.
        adapted: Layers whose weights were changed to fit, and how.
        drawn: Layers that keep their random weights, and why.
        unused: Names in the source that the network has no layer for.
    """

    source: str
    adapted: list[str]
    drawn: list[str]
    unused: list[str]

    @override
    def __str__(self) -> str:
        """Return one sentence for each thing that the user should know."""
        sentences = [f"Weights from {self.source} are loaded."]
        sentences += [f"{text}." for text in (*self.adapted, *self.drawn)]
        if self.unused:
            sentences.append(f"Not used: {some_of(self.unused)}.")
        return " ".join(sentences)


def strip_prefix(
    network: Network, state: Mapping[str, Tensor], known: Architecture
) -> tuple[Mapping[str, Tensor], str]:
    """Return a state dict without the prefix of a wrapper, and that prefix.

    A prefix that most names share is removed as long as that makes more names match.
    """
    expected = {name for name, _ in layers_with_parameters(network)}
    expected.update(*(keys() for keys in known.keys.values()))

    def found(names: Mapping[str, Tensor]) -> int:
        return len(expected & {name.rpartition(".")[0] for name in names})

    best, best_prefix, prefix = state, "", ""
    while state:
        firsts = Counter(name.partition(".")[0] for name in state if "." in name)
        first, times = firsts.most_common(1)[0] if firsts else ("", 0)
        if 2 * times <= len(state):
            break
        prefix += f"{first}."
        state = {name.removeprefix(f"{first}."): value for name, value in state.items()}
        if found(state) > found(best):
            best, best_prefix = state, prefix
    return best, best_prefix


def layers_with_parameters(network: Network) -> Iterator[tuple[str, Layer]]:
    """Yield each layer with parameters itself, including those in blocks, with its key."""
    for name, module in network.named_modules():
        own = next(module.parameters(recurse=False), None)
        if own is not None and not isinstance(module, Block):
            yield name, cast("Layer", module)


def match_names(
    network: Network, state: Mapping[str, Tensor], known: Architecture, source: str
) -> tuple[dict[str, str], list[str], str]:
    """Return the source's name for each of our layers, and the layers that it lacks.

    The third part is the implementation whose names these are; empty for our own.

    Raises:
        ValueError: When the source's names belong to another architecture.
    """
    ours = [name for name, _ in layers_with_parameters(network)]
    there = {name.rpartition(".")[0] for name in state}
    best: tuple[str, ...] = tuple(ours)
    origin = ""
    for name, keys in known.keys.items():
        theirs = tuple(keys())
        if len(theirs) >= len(ours) and len(there & {*theirs}) > len(there & {*best}):
            best, origin = theirs[: len(ours)], name
    found = there & {*best}
    if 2 * len(found) < len(best):
        raise ValueError(
            f"{source} does not hold weights of {known.name}: it names "
            f"{some_of(sorted(there))}, and {known.name} has {some_of(ours)}."
        )
    names = dict(zip(ours, best, strict=True))
    return names, [name for name in ours if names[name] not in there], origin


def red_first(state: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Return weights for images in red, green, blue from those for blue, green, red.

    Args:
        state: The weights.
        names: The source's name for each of our layers, in network order.
    """
    filters = f"{next(iter(names.values()))}.weight"
    return {name: v.flip(1) if name == filters else v for name, v in state.items()}


def load_layers(
    network: Network,
    state: Mapping[str, Tensor],
    names: Mapping[str, str],
    source: str,
    known: Architecture,
) -> LoadReport:
    """Load tensors into the network's layers, adapting the first and skipping the last.

    Raises:
        ValueError: When another layer's tensors have other shapes.
    """
    layers = dict(layers_with_parameters(network))
    first, last = next(iter(layers)), output_layers(network, layers)
    loaded = LoadReport(source, [], [], [])
    new: dict[str, Tensor] = {}
    used: set[str] = set()
    for ours, theirs in names.items():
        for name, have in layers[ours].state_dict().items():
            used.add(f"{theirs}.{name}")
            given = state.get(f"{theirs}.{name}")
            if given is None:
                continue
            if given.shape != have.shape:
                if ours == first:
                    given = adapt_channels(given, have, ours, loaded)
                elif ours in last:
                    classes = f"{len(given)} classes and the network {len(have)}"
                    text = f"{ours} keeps its random weights, since {source} has {classes}"
                    loaded.drawn += [text] if text not in loaded.drawn else []
                    continue
            if given.shape != have.shape:
                why = mismatch_reason(network, ours, given, known)
                raise ValueError(
                    f"{source}: {theirs}.{name} has shape {tuple(given.shape)}, but {ours} "
                    f"needs {tuple(have.shape)}: {why}."
                )
            new[f"{ours}.{name}"] = given.to(have.dtype)
    inputs = {name for name, layer in network.layers.items() if layer in network.inputs}
    new |= {n: value for n, value in state.items() if n.rpartition(".")[0] in inputs}
    loaded.unused = [name for name in state if name not in used and name not in new]
    load_tensors(network, new)
    return loaded


def load_tensors(network: Network, weights: dict[str, Tensor]) -> None:
    """Load tensors into a network; on the meta device, their copies become its parameters."""
    meta = any(parameter.is_meta for parameter in network.parameters())
    own = {name: value.clone() for name, value in weights.items()} if meta else weights
    network.load_state_dict(own, strict=False, assign=meta)


def mismatch_reason(network: Network, layer: str, given: Tensor, known: Architecture) -> str:
    """Return the reason why a layer's weights have another shape."""
    shape = network.inputs[0].output_shape()
    with torch.device("meta"), contextlib.suppress(ValueError):
        large = dict(layers_with_parameters(known.build(input_shape=(3, 224, 224))))
        if any(given.shape == p.shape for p in large[layer].parameters()):
            size = "×".join(map(str, shape[1:]))
            return (
                f"for images of {size}, {known.name} begins with a smaller stem, but these "
                f"weights are for images of 224×224: create it with "
                f"input_shape=({shape[0]}, 224, 224), or with lengths of None for any size"
            )
    return "these are weights of another architecture or of other options"


def output_layers(network: Network, layers: Mapping[str, Layer]) -> set[str]:
    """Return the layers that output the classes: the last ones with parameters."""
    found: set[str] = set()
    for place in network.graph.outputs:
        while network.layer_names[place] not in layers and network.nodes[place].inputs:
            place = network.nodes[place].inputs[0]
        found.add(network.layer_names[place])
    return found


def adapt_channels(given: Tensor, have: Tensor, layer: str, loaded: LoadReport) -> Tensor:
    """Return filters for another number of channels that respond equally to grey images."""
    old, new = given.shape[1], have.shape[1]
    if given.shape[0] != have.shape[0] or given.shape[2:] != have.shape[2:]:
        return given
    loaded.adapted.append(f"{layer} is adapted from {old} to {new} channels")
    if new == 1:
        return given.sum(1, keepdim=True)
    repeated = given.repeat(1, -(-new // old), *[1] * (given.ndim - 2))[:, :new]
    return repeated * (old / new)
