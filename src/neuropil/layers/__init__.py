"""Layers that join with ``>>`` and know their output shape before they have weights."""

from neuropil.core import join, parallel, repeat
from neuropil.layers.activation import Linear
from neuropil.layers.attention import Attention
from neuropil.layers.batch_norm import BatchNorm
from neuropil.layers.blocks import (
    BottleneckBlock,
    DenseBlock,
    FireModule,
    InceptionDenseBlock,
    InceptionModule,
    InceptionResNetBlock,
    NiNBlock,
    ResidualBlock,
    SeparableBlock,
    TransitionLayer,
    UNetStage,
    XceptionBlock,
)
from neuropil.layers.blur_pooling import BlurPooling
from neuropil.layers.colorspace import LearnedColorspace
from neuropil.layers.convolution import Convolution
from neuropil.layers.deconvolution import Deconvolution
from neuropil.layers.depthwise import DepthwiseConvolution
from neuropil.layers.embedding import Embedding
from neuropil.layers.flattened import FlattenedConvolution
from neuropil.layers.global_pooling import GlobalPooling, SpatialPyramidPooling
from neuropil.layers.group_convolution import GroupConvolution
from neuropil.layers.group_pooling import GroupPooling
from neuropil.layers.gru import GRU
from neuropil.layers.input import Input
from neuropil.layers.local_response_norm import LocalResponseNorm
from neuropil.layers.lstm import LSTM
from neuropil.layers.merge import Concatenate, Elementwise, GatedAverage
from neuropil.layers.mixture_of_experts import MixtureOfExperts
from neuropil.layers.module import Module
from neuropil.layers.noise import DropBlock, Dropout, GaussianNoise, StochasticDepth
from neuropil.layers.normalization import GroupNorm, InstanceNorm, LayerNorm
from neuropil.layers.pooling import AveragePooling, MaxAveragePooling, MaxPooling
from neuropil.layers.rearrange import Flatten, Identity, Reshape, Transpose
from neuropil.layers.rectifier import LeakyRelu, PRelu, Relu
from neuropil.layers.scale import Scale
from neuropil.layers.separable import SeparableConvolution
from neuropil.layers.sigmoid import HardSigmoid, Sigmoid, Softmax, Tanh
from neuropil.layers.smooth_rectifier import Elu, Gelu, Softplus, Swish
from neuropil.layers.squeeze_excitation import SqueezeExcitation
from neuropil.layers.upscale import Upscale

__all__ = [
    "GRU",
    "LSTM",
    "Attention",
    "AveragePooling",
    "BatchNorm",
    "BlurPooling",
    "BottleneckBlock",
    "Concatenate",
    "Convolution",
    "Deconvolution",
    "DenseBlock",
    "DepthwiseConvolution",
    "DropBlock",
    "Dropout",
    "Elementwise",
    "Elu",
    "Embedding",
    "FireModule",
    "Flatten",
    "FlattenedConvolution",
    "GatedAverage",
    "GaussianNoise",
    "Gelu",
    "GlobalPooling",
    "GroupConvolution",
    "GroupNorm",
    "GroupPooling",
    "HardSigmoid",
    "Identity",
    "InceptionDenseBlock",
    "InceptionModule",
    "InceptionResNetBlock",
    "Input",
    "InstanceNorm",
    "LayerNorm",
    "LeakyRelu",
    "LearnedColorspace",
    "Linear",
    "LocalResponseNorm",
    "MaxAveragePooling",
    "MaxPooling",
    "MixtureOfExperts",
    "Module",
    "NiNBlock",
    "PRelu",
    "Relu",
    "Reshape",
    "ResidualBlock",
    "Scale",
    "SeparableBlock",
    "SeparableConvolution",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SpatialPyramidPooling",
    "SqueezeExcitation",
    "StochasticDepth",
    "Swish",
    "Tanh",
    "TransitionLayer",
    "Transpose",
    "UNetStage",
    "Upscale",
    "XceptionBlock",
    "join",
    "parallel",
    "repeat",
]
