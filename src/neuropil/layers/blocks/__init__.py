"""Blocks: what the classic architectures are made of."""

from neuropil.layers.blocks.dense import DenseBlock, TransitionLayer
from neuropil.layers.blocks.fire import FireModule
from neuropil.layers.blocks.inception import (
    InceptionDenseBlock,
    InceptionModule,
    InceptionResNetBlock,
)
from neuropil.layers.blocks.network_in_network import NiNBlock
from neuropil.layers.blocks.residual import BottleneckBlock, ResidualBlock
from neuropil.layers.blocks.separable import SeparableBlock
from neuropil.layers.blocks.u_net import UNetStage
from neuropil.layers.blocks.xception import XceptionBlock

__all__ = [
    "BottleneckBlock",
    "DenseBlock",
    "FireModule",
    "InceptionDenseBlock",
    "InceptionModule",
    "InceptionResNetBlock",
    "NiNBlock",
    "ResidualBlock",
    "SeparableBlock",
    "TransitionLayer",
    "UNetStage",
    "XceptionBlock",
]
