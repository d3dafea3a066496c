"""Tricks: batch normalisation, before or after the activations, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.layers import BatchNorm, Identity, Linear
from neuropil.layers.activations.base import Activation
from neuropil.study.tricks.layer_variants import (
    AFFINE,
    HIDDEN,
    NORMS,
    calls_in,
    given_options,
    is_dense,
    output_names,
    users_of,
    varied,
    without_units,
)
from neuropil.study.tricks.trick import Plan, Trick, on_networks

if TYPE_CHECKING:
    from neuropil.core import Layer, Network
    from neuropil.core.layer import Composable
    from neuropil.core.shape import Shape
    from neuropil.study.setups.rewriting import Change

TABLE = "BN -- before or after ReLU?"


def place(*, before: bool) -> Plan:
    """Return the plan that puts BatchNorm before or after each activation.

    A network that has it gets it in the other place; one with another normalisation is left.
    """

    def plan(network: Network) -> Change | str:
        norms = {type(call.layer).__name__ for call in calls_in(network) if is_norm(call.layer)}
        if norms - {"BatchNorm"}:
            return f"the network has {' and '.join(sorted(norms))} already"
        return moved(network, before=before) if norms else added(network, before=before)

    return plan


def added(network: Network, *, before: bool) -> Change:
    """Return the change that adds BatchNorm at each activation but the outputs."""
    ends = output_names(network)

    def change(name: str, layer: Layer, _: tuple[Shape, ...]) -> Composable | None:
        if not isinstance(layer, Activation) or not isinstance(layer, HIDDEN) or name in ends:
            return None
        if not before:
            return layer >> BatchNorm()
        if not is_dense(layer):
            return BatchNorm() >> layer
        return Linear(**given_options(layer, AFFINE)) >> BatchNorm() >> without_units(layer)

    return change


def moved(network: Network, *, before: bool) -> Change | str:
    """Return the change that swaps BatchNorm and the activation next to it."""
    calls = calls_in(network)
    users = users_of(calls)
    swapped: dict[str, Layer] = {}
    for first, followers in enumerate(users):
        if len(followers) != 1 or len(calls[followers[0]].inputs) != 1:
            continue
        pair = calls[first], calls[followers[0]]
        norm, active = reversed(pair) if before else pair
        if is_norm(norm.layer) and is_active(active.layer):
            swapped[pair[0].name] = pair[1].layer
            swapped[pair[1].name] = pair[0].layer
    if not swapped:
        where = "before" if before else "after"
        return f"BatchNorm stands {where} the activations already"

    def change(name: str, _: Layer, __: tuple[Shape, ...]) -> Layer | None:
        return varied(swapped[name], name=None) if name in swapped else None

    return change


def removed(network: Network) -> Change:
    """Return the change that takes out BatchNorm, and gives the layers before it a bias."""
    calls = calls_in(network)
    users = users_of(calls)
    biased = {
        call.name
        for call, followers in zip(calls, users, strict=True)
        if followers and all(isinstance(calls[k].layer, BatchNorm) for k in followers)
        if call.layer.arguments.get("bias") is False
    }

    def change(name: str, layer: Layer, _: tuple[Shape, ...]) -> Layer | None:
        if isinstance(layer, BatchNorm):
            return Identity()
        return varied(layer, bias=True) if name in biased else None

    return change


def is_norm(layer: Layer) -> bool:
    """Return whether a layer normalises."""
    return isinstance(layer, NORMS)


def is_active(layer: Layer) -> bool:
    """Return whether a layer is a hidden activation alone."""
    return isinstance(layer, HIDDEN) and not is_dense(layer)


GROUP = "batch normalisation"
NO_ACTIVATION = "the network has no hidden activation"
BATCH_NORM_TRICKS = (
    Trick(
        "batch_norm_before",
        "BatchNorm before each activation",
        GROUP,
        on_networks(place(before=True), NO_ACTIVATION),
        0.7,
        (TABLE, "Before + scale&bias layer"),
    ),
    Trick(
        "batch_norm_after",
        "BatchNorm after each activation",
        GROUP,
        on_networks(place(before=False), NO_ACTIVATION),
        2.2,
        (TABLE, "After + scale&bias layer"),
    ),
    Trick(
        "no_batch_norm",
        "No BatchNorm",
        GROUP,
        on_networks(removed, "the network has no BatchNorm"),
    ),
)
