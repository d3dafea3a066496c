"""The rows of a detector that looks at regions: those of regions, then those of anchors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self, final

from neuropil.layers import AnchorBoxes, RegionBoxes

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core import Network

# The unit of the shifts of regions: those of good regions are small.
UNIT = 0.1


class Rows(NamedTuple):
    """Rows of one kind.

    Attributes:
        starts: The boxes that they start from, ``(N, K, 4)``, which get no gradient.
        shifts: The shifts to the boxes that they predict, ``(N, K, 4)``.
        scores: Their scores, ``(N, K, 1 + p)``.
    """

    starts: Tensor
    shifts: Tensor
    scores: Tensor


@final
@dataclass(frozen=True)
class RegionHead:
    """The form of the output of a network that ends in `RegionBoxes`.

    Args:
        classes: Number of classes p.
        regions: Number of regions R.

    Example:
        >>> from neuropil.architectures import fast_rcnn
        >>> RegionHead.of(fast_rcnn(3, regions=50))
        RegionHead(classes=3, regions=50)
    """

    classes: int
    regions: int

    @classmethod
    def of(cls, network: Network) -> Self | None:
        """Return the form of a network's output, or None if it ends in another layer."""
        outputs = network.graph.outputs
        last = network.nodes[outputs[0]].layer if len(outputs) == 1 else None
        if not isinstance(last, RegionBoxes) or last.built_for is None:
            return None
        return cls(last.classes, last.built_for[0][0] or 0)

    def parts(self, outputs: Tensor) -> tuple[Rows, Rows]:
        """Return the rows of the regions, with their shifts in units of 1, and of the anchors.

        Args:
            outputs: ``(N, R + A, 9 + p)``.
        """
        regions, anchors = (
            Rows(each[..., :4].detach(), each[..., 4:8], each[..., 8:])
            for each in (outputs[:, : self.regions], outputs[:, self.regions :])
        )
        return regions._replace(shifts=UNIT * regions.shifts), anchors


def anchors_of(network: Network) -> AnchorBoxes | None:
    """Return the layer of a network that scores anchors; None if it proposes no regions."""
    found = [each for each in network.layers.values() if isinstance(each, AnchorBoxes)]
    return found[0] if found else None
