"""U-Net."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from neuropil.architectures.published.registry import Options, architecture
from neuropil.checks import whole
from neuropil.core import Network, Shape, join
from neuropil.layers import Convolution, Input, Softmax, UNetStage
from neuropil.layers.layer_options import LECUN

if TYPE_CHECKING:
    from neuropil.layers.blocks.block_style import Place
    from neuropil.layers.blocks.unet_stage import Padding, Up

# Halving an image more often would leave nothing of it.
MAX_DEPTH = 16


@dataclass(frozen=True)
class UNetOptions(Options):
    """Options of `unet`, besides those of every architecture.

    Attributes:
        depth: Number of times the image is halved.
        width: Channels at the finest resolution.
        padding: ``"same"``; or ``"valid"`` as in the paper.
        up: ``"deconvolution"``, ``"nearest"`` or ``"bilinear"``, as for `UNetStage`.
        dropout: Share dropped in training after the two coarsest resolutions on the way down.
        normalization: As for `ResidualBlock`; the paper has None.
        place: As for `ResidualBlock`.
    """

    classes: int = 2
    _: KW_ONLY
    input_shape: Shape = (3, 256, 256)
    depth: int = 4
    width: int = 64
    padding: Padding = "same"
    up: Up = "deconvolution"
    dropout: float = 0.5
    place: Place = "before"


@architecture(
    UNetOptions,
    year=2015,
    paper=(
        "Ronneberger, Fischer, Brox, U-Net: convolutional networks for biomedical image "
        "segmentation"
    ),
    accuracy="92.0 % IoU, PhC-U373 cells",
    source="paper",
)
def unet(options: UNetOptions) -> Network:
    """U-Net: a class for each pixel, from coarse and fine features combined.

    There are two 3×3 convolutions at each resolution on the way down and on the way up, with
    twice the channels at each coarser resolution. MaxPooling leads down; on the way up, the
    features of the same resolution are concatenated with the upsampled coarser ones. The
    outermost `UNetStage` contains all the others; its output, the features of each pixel, is
    named ``stage1``. Images may have any size, also one that 2^depth does not divide.

    Shape:
        ``(C, H, W)`` to ``(classes, H, W)``, probabilities that sum to 1 over the classes. With
        ``padding="valid"`` the output is smaller: 388×388 of 572×572. Signals ``(C, L)`` and
        volumes ``(C, D, H, W)`` likewise.

    Raises:
        ShapeError: When ``"valid"`` leaves nothing of the image.
        ValueError: When an option is out of its range, or the weights do not fit.

    Reference:
        Ronneberger, Fischer, Brox, "U-Net: convolutional networks for biomedical image
        segmentation", 2015. The paper's own network is ``unet(2, input_shape=(1, 572, 572),
        padding="valid", normalization=None)``; BatchNorm and padding came later.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     network = unet(
        ...         2, input_shape=(1, 572, 572), padding="valid", normalization=None
        ...     )
        >>> network.output_shape, sum(p.numel() for p in network.parameters())
        ((2, 388, 388), 31030658)
        >>> unet(3, input_shape=(1, None, 45), depth=2, width=8).output_shape
        (3, None, 45)
    """
    depth = options.depth
    if whole(depth, "depth") > MAX_DEPTH:
        raise ValueError(f"depth must be at most {MAX_DEPTH}, got {depth}.")
    stage: UNetStage | None = None
    for level in range(depth, -1, -1):
        stage = UNetStage(
            options.width * 2**level,
            stage,
            padding=options.padding,
            up=options.up,
            dropout=options.dropout if level >= depth - 1 else 0.0,
            **options.of_blocks,
            place=options.place,
            name=None if level else "stage1",
        )
    head = Convolution(options.classes, 1, weight=LECUN)
    parts = [Input(*options.input_shape), stage, head, Softmax(axis=0)]
    return join(*(part for part in parts if part is not None))
