"""Layers that join with ``>>`` and know their output shape before they have weights."""

from neuropil.core import join, parallel, repeat
from neuropil.layers.activation import Linear
from neuropil.layers.batch_norm import BatchNorm
from neuropil.layers.convolution import Convolution
from neuropil.layers.deconvolution import Deconvolution
from neuropil.layers.global_pooling import GlobalPooling, SpatialPyramidPooling
from neuropil.layers.input import Input
from neuropil.layers.local_response_norm import LocalResponseNorm
from neuropil.layers.merge import Concatenate, Elementwise, GatedAverage
from neuropil.layers.module import Module
from neuropil.layers.noise import DropBlock, Dropout, GaussianNoise
from neuropil.layers.normalization import GroupNorm, InstanceNorm, LayerNorm
from neuropil.layers.pooling import AveragePooling, MaxAveragePooling, MaxPooling
from neuropil.layers.rearrange import Flatten, Identity, Reshape, Transpose
from neuropil.layers.rectifier import LeakyRelu, PRelu, Relu
from neuropil.layers.sigmoid import HardSigmoid, Sigmoid, Softmax, Tanh
from neuropil.layers.smooth_rectifier import Elu, Gelu, Softplus, Swish
from neuropil.layers.upscale import Upscale

__all__ = [
    "AveragePooling",
    "BatchNorm",
    "Concatenate",
    "Convolution",
    "Deconvolution",
    "DropBlock",
    "Dropout",
    "Elementwise",
    "Elu",
    "Flatten",
    "GatedAverage",
    "GaussianNoise",
    "Gelu",
    "GlobalPooling",
    "GroupNorm",
    "HardSigmoid",
    "Identity",
    "Input",
    "InstanceNorm",
    "LayerNorm",
    "LeakyRelu",
    "Linear",
    "LocalResponseNorm",
    "MaxAveragePooling",
    "MaxPooling",
    "Module",
    "PRelu",
    "Relu",
    "Reshape",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SpatialPyramidPooling",
    "Swish",
    "Tanh",
    "Transpose",
    "Upscale",
    "join",
    "parallel",
    "repeat",
]
