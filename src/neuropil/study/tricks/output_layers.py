"""The layers of a network that give its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.layers import Input, PRelu, Scale
from neuropil.study.tricks.layer_variants import NORMS, calls_in, is_dense, output_names

if TYPE_CHECKING:
    from neuropil.analysis.calls import Call
    from neuropil.core import Network

# Layers with parameters that keep the number of channels.
CHANNELWISE = (*NORMS, PRelu, Scale)


def output_layers(network: Network) -> set[str]:
    """Return the names of the layers whose channels are those of the outputs.

    Args:
        network: The network.

    Example:
        >>> from neuropil.architectures import dense
        >>> network = dense((4,), 3, hidden=(8,), linear_path=True)
        >>> sorted(output_layers(network))
        ['elementwise1', 'linear1', 'linear_path', 'softmax1']
    """
    calls = calls_in(network)
    fixed: set[str] = set()
    waiting = ends_of(network, calls)
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
    own = isinstance(call.layer, CHANNELWISE) and not is_dense(call.layer)
    return own or not call.layer.parameter_shapes(*(call.input_shapes or ()))
