"""Layers that join with ``>>`` and know their output shape before they have weights."""

from neuropil.core import join, parallel, repeat
from neuropil.layers.activations.base import Linear
from neuropil.layers.activations.rectifier import LeakyRelu, PRelu, Relu
from neuropil.layers.activations.sigmoid import HardSigmoid, Sigmoid, Softmax, Tanh
from neuropil.layers.activations.smooth_rectifier import Elu, Gelu, Softplus, Swish
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
from neuropil.layers.convolution.colorspace import LearnedColorspace
from neuropil.layers.convolution.convolution import Convolution
from neuropil.layers.convolution.deconvolution import Deconvolution
from neuropil.layers.convolution.depthwise import DepthwiseConvolution
from neuropil.layers.convolution.flattened import FlattenedConvolution
from neuropil.layers.convolution.group_convolution import GroupConvolution
from neuropil.layers.convolution.separable import SeparableConvolution
from neuropil.layers.embedding import Embedding
from neuropil.layers.input import Input
from neuropil.layers.mixing.attention import Attention
from neuropil.layers.mixing.merge import Concatenate, Elementwise, GatedAverage
from neuropil.layers.mixing.mixture_of_experts import MixtureOfExperts
from neuropil.layers.mixing.squeeze_excitation import SqueezeExcitation
from neuropil.layers.module import Module
from neuropil.layers.noise import DropBlock, Dropout, GaussianNoise, StochasticDepth
from neuropil.layers.normalization.batch_norm import BatchNorm
from neuropil.layers.normalization.local_response_norm import LocalResponseNorm
from neuropil.layers.normalization.sample_norm import GroupNorm, InstanceNorm, LayerNorm
from neuropil.layers.pooling.blur_pooling import BlurPooling
from neuropil.layers.pooling.global_pooling import GlobalPooling, SpatialPyramidPooling
from neuropil.layers.pooling.group_pooling import GroupPooling
from neuropil.layers.pooling.window_pooling import AveragePooling, MaxAveragePooling, MaxPooling
from neuropil.layers.rearrange import Flatten, Identity, Reshape, Transpose
from neuropil.layers.recurrent.gru import GRU
from neuropil.layers.recurrent.lstm import LSTM
from neuropil.layers.scale import Scale
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
