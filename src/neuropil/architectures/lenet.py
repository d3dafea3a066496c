"""LeNet-5."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from neuropil.architectures.caffenet import pooling_of
from neuropil.architectures.image_sizes import is_small
from neuropil.architectures.published.registry import PlainOptions, architecture
from neuropil.core import Network, Shape, join
from neuropil.layers import Flatten, Input, Linear, Softmax

if TYPE_CHECKING:
    from neuropil.layers.blocks.block_style import Choice

# Side of the paper's images: digits of 28 pixels with a border of two.
SIDE = 32


@dataclass(frozen=True)
class LeNetOptions(PlainOptions):
    """Options of `lenet5`, besides those of every architecture.

    Attributes:
        input_shape: ``(C, H, W)``, every length known.
        pooling: ``"average"``, ``"max"`` or ``"max_average"``, their sum.
    """

    classes: int = 10
    _: KW_ONLY
    input_shape: Shape = (1, 32, 32)
    activation: Choice = "tanh"
    pooling: str = "average"


@architecture(
    LeNetOptions,
    year=1998,
    paper=(
        "LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document "
        "recognition"
    ),
    accuracy="99.05 % MNIST",
    source="paper",
)
def lenet5(options: LeNetOptions) -> Network:
    """LeNet-5: two convolutions with pooling, and three fully connected layers.

    6 and 16 filters of 5×5, each followed by 2×2 pooling, then 120 and 84 units: 61,706
    parameters for 32 pixels and 10 classes. Images below 32 pixels, such as MNIST's 28, are
    padded with two zeros on each side. The poolings are named ``stage1`` and ``stage2``.

    Reference:
        LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
        recognition", 1998, section II.B. Like most modern versions it differs from the
        paper in four points. There, the subsampling has a weight, a bias and an activation for
        each channel; each filter of the second convolution takes only some of the channels
        (table I: 1,516 parameters in place of 2,416); tanh is 1.7159 tanh(2x/3); and the last
        layer measures distances to drawn characters, in place of Softmax.

    Example:
        >>> sum(p.numel() for p in lenet5().parameters())
        61706
        >>> lenet5(input_shape=(1, 28, 28)).upto("stage2").output_shape
        (16, 5, 5)
    """
    style = options.style
    border = 2 if is_small(options.input_shape, SIDE) else 0
    pool = pooling_of(options.pooling)
    return join(
        Input(*options.input_shape),
        style.unit(6, 5, padding=border),
        pool(2, name="stage1"),
        style.unit(16, 5, padding=0),
        pool(2, name="stage2"),
        Flatten(),
        *(Linear(120), *style.activate()),
        *(Linear(84), *style.activate()),
        Softmax(options.classes),
    )
