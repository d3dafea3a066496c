"""Tricks: wider and narrower networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.core.block import Block
from neuropil.layers import Input, PRelu, Scale
from neuropil.study.tricks.layer_variants import NORMS, calls_in, output_names, varied
from neuropil.study.tricks.trick import Plan, Trick, on_networks

if TYPE_CHECKING:
    from neuropil.analysis.calls import Call
    from neuropil.core import Layer, Network
    from neuropil.core.shape import Shape
    from neuropil.study.rewriting import Change

TABLE = "Network width"
# The options that give the number of output channels.
WIDTHS = ("filters", "units")
# Layers with parameters that keep the number of channels.
CHANNELWISE = (*NORMS, PRelu, Scale)


def scale_width(factor: float) -> Plan:
    """Return the plan that scales the number of filters and units, but not that of outputs."""

    def plan(network: Network) -> Change:
        fixed = names_of_outputs(network)

        def change(name: str, layer: Layer, _: tuple[Shape, ...]) -> Layer | None:
            option = next((each for each in WIDTHS if layer.arguments.get(each)), None)
            if option is None or name in fixed or isinstance(layer, Block):
                return None
            groups = layer.arguments.get("groups", 1)
            width = groups * max(1, round(factor * layer.arguments[option] / groups))
            return varied(layer, **{option: width})

        return change

    return plan


def names_of_outputs(network: Network) -> set[str]:
    """Return the names of the layers whose channels are those of the outputs."""
    calls = calls_in(network)
    fixed: set[str] = set()
    waiting = list(ends_of(network, calls))
    while waiting:
        call = calls[waiting.pop()]
        if call.name in fixed or isinstance(call.layer, Input):
            continue
        fixed.add(call.name)
        if passes_channels(call):
            waiting += call.inputs
    return fixed


def ends_of(network: Network, calls: tuple[Call, ...]) -> list[int]:
    """Return the positions of the calls that give the outputs: of a block, its last part."""
    ends = output_names(network)
    last = {call.name.partition(".")[0]: place for place, call in enumerate(calls)}
    return [last[name] for name in ends]


def passes_channels(call: Call) -> bool:
    """Return whether a layer gives as many channels as it takes."""
    own = isinstance(call.layer, CHANNELWISE)
    return own or not call.layer.parameter_shapes(*(call.input_shapes or ()))


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
