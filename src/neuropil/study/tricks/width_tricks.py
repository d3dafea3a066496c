"""Tricks: wider and narrower networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.core.block import Block
from neuropil.study.tricks.layer_variants import varied
from neuropil.study.tricks.output_layers import output_layers
from neuropil.study.tricks.trick import Plan, Trick, on_networks

if TYPE_CHECKING:
    from neuropil.core import Layer, Network
    from neuropil.core.shape import Shape
    from neuropil.study.setups.rewriting import Change

TABLE = "Network width"
# The options that give the number of output channels.
WIDTHS = ("filters", "units")


def scale_width(factor: float) -> Plan:
    """Return the plan that scales the number of filters and units, but not that of outputs."""

    def plan(network: Network) -> Change:
        fixed = output_layers(network)

        def change(name: str, layer: Layer, _: tuple[Shape, ...]) -> Layer | None:
            option = next((each for each in WIDTHS if layer.arguments.get(each)), None)
            if option is None or name in fixed or isinstance(layer, Block):
                return None
            groups = layer.arguments.get("groups", 1)
            width = groups * max(1, round(factor * layer.arguments[option] / groups))
            return varied(layer, **{option: width})

        return change

    return plan


GROUP = "width"
LACKING = "the network has no hidden layer with filters or units"
WIDTH_TRICKS = (
    Trick(
        "double_width",
        "Twice the filters and units",
        GROUP,
        on_networks(scale_width(2.0), LACKING),
        6.2,
        (TABLE, "2 wider"),
    ),
    Trick(
        "half_width",
        "Half the filters and units",
        GROUP,
        on_networks(scale_width(0.5), LACKING),
        -5.5,
        (TABLE, "2x narrower"),
    ),
)
