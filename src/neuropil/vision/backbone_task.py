"""Tasks whose networks stand on a backbone, which may have published weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from neuropil.architectures.published.zoo_table import zoo_table
from neuropil.core import ShapeError
from neuropil.runs.task import Labels, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.core import Network

# The learning rate of published weights, as a part of that of the rest: at the full rate the
# first steps undo what they know.
PUBLISHED_RATE = 0.3


class BackboneTask(Task[Labels]):
    """Base class of tasks whose networks stand on a backbone.

    Attributes:
        backbone_rate: The learning rate of the backbone, as a part of that of the rest.
    """

    backbone_rate: float

    @override
    def published_part(self, network: Network, name: str | None) -> tuple[Network, str | None]:
        return backbone_of(network), name

    @override
    def adapt_to_weights(self) -> Self:
        task: Any = self
        return replace(task, backbone_rate=PUBLISHED_RATE)

    def frozen_stage(self, network: Network) -> str | None:
        """Return the first stage if the weights of the backbone are published, or None.

        Its edges and colours serve any picture. Without a backward pass, it costs a third.

        Args:
            network: The network.
        """
        if self.backbone_rate == 1:
            return None
        return next((name for name in network.layers if name.startswith("stage")), None)

    @override
    def parameters(self, network: Network, lr: float | None) -> Iterable[Any]:
        return parameter_groups(network, lr, self.backbone_rate)


def named_backbone(name: str, channels: int | None) -> Network:
    """Return an architecture for pictures of any size.

    Raises:
        ValueError: If there is none of this name.
    """
    zoo = zoo_table()
    if name not in zoo:
        raise ValueError(f"{name} has no features to build on: use {', '.join(zoo)}.")
    try:
        return zoo[name].build(input_shape=(channels, None, None))
    except ShapeError as error:
        raise ValueError(f"{name} takes pictures of one size: {error}") from None


def backbone_of(network: Network) -> Network:
    """Return the layers of a network up to the last stage, which has published weights."""
    stages = [name for name in network.layers if name.startswith("stage")]
    return network.upto(stages[-1]) if stages else network


def parameter_groups(network: Network, lr: float | None, rate: float) -> Iterable[Any]:
    """Return the parameters of a network, those of the backbone with their own learning rate.

    Args:
        network: The network.
        lr: The learning rate; None if the optimiser has none.
        rate: The learning rate of the backbone, as a part of that of the rest.
    """
    if lr is None or rate == 1:
        return network.parameters()
    own = [*backbone_of(network).parameters()]
    known = set(map(id, own))
    rest = [each for each in network.parameters() if id(each) not in known]
    return [{"params": own, "lr": rate * lr}, {"params": rest}]
