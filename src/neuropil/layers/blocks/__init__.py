"""Blocks: what the classic architectures are made of."""

from neuropil.layers.blocks.dense_block import DenseBlock, TransitionLayer
from neuropil.layers.blocks.fire_module import FireModule
from neuropil.layers.blocks.inception_modules import (
    InceptionDenseBlock,
    InceptionModule,
    InceptionResNetBlock,
)
from neuropil.layers.blocks.nin_block import NiNBlock
from neuropil.layers.blocks.residual_blocks import BottleneckBlock, ResidualBlock
from neuropil.layers.blocks.separable_block import SeparableBlock
from neuropil.layers.blocks.unet_stage import UNetStage
from neuropil.layers.blocks.xception_block import XceptionBlock

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
