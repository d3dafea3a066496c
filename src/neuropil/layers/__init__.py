"""Layers that join with ``>>`` and know their output shape before they have weights."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.core.composition import join as join
    from neuropil.core.composition import parallel as parallel
    from neuropil.core.composition import repeat as repeat
    from neuropil.core.composition import shared as shared
    from neuropil.layers.activations.base import Linear as Linear
    from neuropil.layers.activations.rectifier import LeakyRelu as LeakyRelu
    from neuropil.layers.activations.rectifier import PRelu as PRelu
    from neuropil.layers.activations.rectifier import Relu as Relu
    from neuropil.layers.activations.sigmoid import HardSigmoid as HardSigmoid
    from neuropil.layers.activations.sigmoid import Sigmoid as Sigmoid
    from neuropil.layers.activations.sigmoid import Softmax as Softmax
    from neuropil.layers.activations.sigmoid import Tanh as Tanh
    from neuropil.layers.activations.smooth_rectifier import Elu as Elu
    from neuropil.layers.activations.smooth_rectifier import Gelu as Gelu
    from neuropil.layers.activations.smooth_rectifier import Softplus as Softplus
    from neuropil.layers.activations.smooth_rectifier import Swish as Swish
    from neuropil.layers.blocks.dense_block import DenseBlock as DenseBlock
    from neuropil.layers.blocks.dense_block import TransitionLayer as TransitionLayer
    from neuropil.layers.blocks.fire_module import FireModule as FireModule
    from neuropil.layers.blocks.inception_modules import (
        InceptionDenseBlock as InceptionDenseBlock,
    )
    from neuropil.layers.blocks.inception_modules import InceptionModule as InceptionModule
    from neuropil.layers.blocks.inception_modules import (
        InceptionResNetBlock as InceptionResNetBlock,
    )
    from neuropil.layers.blocks.nin_block import NiNBlock as NiNBlock
    from neuropil.layers.blocks.residual_blocks import BottleneckBlock as BottleneckBlock
    from neuropil.layers.blocks.residual_blocks import ResidualBlock as ResidualBlock
    from neuropil.layers.blocks.separable_block import SeparableBlock as SeparableBlock
    from neuropil.layers.blocks.unet_stage import SkipConnection as SkipConnection
    from neuropil.layers.blocks.unet_stage import UNetStage as UNetStage
    from neuropil.layers.blocks.xception_block import XceptionBlock as XceptionBlock
    from neuropil.layers.convolution.colorspace import LearnedColorspace as LearnedColorspace
    from neuropil.layers.convolution.convolution import Convolution as Convolution
    from neuropil.layers.convolution.deconvolution import Deconvolution as Deconvolution
    from neuropil.layers.convolution.depthwise import (
        DepthwiseConvolution as DepthwiseConvolution,
    )
    from neuropil.layers.convolution.flattened import (
        FlattenedConvolution as FlattenedConvolution,
    )
    from neuropil.layers.convolution.group_convolution import (
        GroupConvolution as GroupConvolution,
    )
    from neuropil.layers.convolution.separable import (
        SeparableConvolution as SeparableConvolution,
    )
    from neuropil.layers.detection.anchor_boxes import AnchorBoxes as AnchorBoxes
    from neuropil.layers.detection.box_grid import BoxGrid as BoxGrid
    from neuropil.layers.detection.cell_alignment import CellAlignment as CellAlignment
    from neuropil.layers.detection.cell_alignment import CellPadding as CellPadding
    from neuropil.layers.detection.each_region import EachRegion as EachRegion
    from neuropil.layers.detection.proposals import RegionProposals as RegionProposals
    from neuropil.layers.detection.proposals import SelectiveSearch as SelectiveSearch
    from neuropil.layers.detection.region_boxes import RegionBoxes as RegionBoxes
    from neuropil.layers.detection.roi_layers import RoiAlign as RoiAlign
    from neuropil.layers.detection.roi_layers import RoiPooling as RoiPooling
    from neuropil.layers.detection.soft_argmax import SoftArgmax as SoftArgmax
    from neuropil.layers.embedding import Embedding as Embedding
    from neuropil.layers.input import Input as Input
    from neuropil.layers.mask_padding import MaskPadding as MaskPadding
    from neuropil.layers.mixing.attention import Attention as Attention
    from neuropil.layers.mixing.merge import Concatenate as Concatenate
    from neuropil.layers.mixing.merge import Elementwise as Elementwise
    from neuropil.layers.mixing.merge import GatedAverage as GatedAverage
    from neuropil.layers.mixing.mixture_of_experts import MixtureOfExperts as MixtureOfExperts
    from neuropil.layers.mixing.squeeze_excitation import SqueezeExcitation as SqueezeExcitation
    from neuropil.layers.module import Module as Module
    from neuropil.layers.noise import DropBlock as DropBlock
    from neuropil.layers.noise import Dropout as Dropout
    from neuropil.layers.noise import GaussianNoise as GaussianNoise
    from neuropil.layers.noise import StochasticDepth as StochasticDepth
    from neuropil.layers.normalization.batch_norm import BatchNorm as BatchNorm
    from neuropil.layers.normalization.local_response_norm import (
        LocalResponseNorm as LocalResponseNorm,
    )
    from neuropil.layers.normalization.sample_norm import GroupNorm as GroupNorm
    from neuropil.layers.normalization.sample_norm import InstanceNorm as InstanceNorm
    from neuropil.layers.normalization.sample_norm import LayerNorm as LayerNorm
    from neuropil.layers.normalization.unit_norm import UnitNorm as UnitNorm
    from neuropil.layers.pooling.blur_pooling import BlurPooling as BlurPooling
    from neuropil.layers.pooling.global_pooling import GlobalPooling as GlobalPooling
    from neuropil.layers.pooling.global_pooling import (
        SpatialPyramidPooling as SpatialPyramidPooling,
    )
    from neuropil.layers.pooling.group_pooling import GroupPooling as GroupPooling
    from neuropil.layers.pooling.window_pooling import AveragePooling as AveragePooling
    from neuropil.layers.pooling.window_pooling import MaxAveragePooling as MaxAveragePooling
    from neuropil.layers.pooling.window_pooling import MaxPooling as MaxPooling
    from neuropil.layers.rearrange import Flatten as Flatten
    from neuropil.layers.rearrange import Identity as Identity
    from neuropil.layers.rearrange import Reshape as Reshape
    from neuropil.layers.rearrange import Transpose as Transpose
    from neuropil.layers.recurrent.gru import GRU as GRU
    from neuropil.layers.recurrent.lstm import LSTM as LSTM
    from neuropil.layers.recurrent.rnn import RNN as RNN
    from neuropil.layers.scale import Scale as Scale
    from neuropil.layers.upscale import Upscale as Upscale

load_on_use(__name__, __file__)
