"""Tricks: more or less dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.layers import Dropout, Flatten, Identity, Input
from neuropil.study.tricks.layer_variants import calls_in, is_dense, varied
from neuropil.study.tricks.trick import Plan, Trick, on_networks

if TYPE_CHECKING:
    from neuropil.core import Layer, Network
    from neuropil.core.layer import Composable
    from neuropil.core.shape import Shape
    from neuropil.study.setups.rewriting import Change

TABLE = "Regularization"


def drop(rate: float) -> Plan:
    """Return the plan that gives every Dropout a rate, or adds it before the dense layers.

    Args:
        rate: The rate; 0 takes Dropout out.
    """

    def plan(network: Network) -> Change | str:
        layers = [call.layer for call in calls_in(network)]
        rates = {layer.rate for layer in layers if isinstance(layer, Dropout)}
        if rates == {rate}:
            return f"the network has dropout of {100 * rate:.0f} % already"
        if rates:
            return change_rate
        fed = fed_by_inputs(network)
        return lambda name, layer, _: (
            Dropout(rate) >> layer if rate and is_dense(layer) and name not in fed else None
        )

    def change_rate(_: str, layer: Layer, __: tuple[Shape, ...]) -> Composable | None:
        if not isinstance(layer, Dropout) or layer.rate == rate:
            return None
        return varied(layer, rate=rate) if rate else Identity()

    return plan


def fed_by_inputs(network: Network) -> set[str]:
    """Return the names of the layers that take raw inputs, flattened or not."""
    raw: list[bool] = []
    names: set[str] = set()
    calls = calls_in(network)
    for call in calls:
        fed = all(raw[place] for place in call.inputs)
        raw.append(fed and isinstance(call.layer, Input | Flatten | Identity))
        if fed:
            names.add(call.name)
    return names


def dropout(percent: int, published: float | None = None) -> Trick:
    """Return the trick of a dropout rate in percent."""
    title = f"Dropout of {percent} %"
    lacking = "the network has no dense layers, but of the inputs"
    row = None if published is None else (TABLE, f"drop={percent / 100:g}")
    change = on_networks(drop(percent / 100), lacking)
    return Trick(f"dropout_{percent}", title, GROUP, change, published, row)


GROUP = "dropout"
DROPOUT_TRICKS = (
    dropout(20, 2.3),
    dropout(30, 2.6),
    dropout(50),
    dropout(10, 0.2),
    Trick(
        "no_dropout", "No dropout", GROUP, on_networks(drop(0.0), "the network has no dropout")
    ),
)
