"""Networks composed from layers, ready to train."""

from neuropil.architectures.alexnet import alexnet
from neuropil.architectures.caffenet import caffenet128
from neuropil.architectures.default_networks import dense, small_convolutional
from neuropil.architectures.densenet import densenet121, densenet161, densenet169, densenet201
from neuropil.architectures.googlenet import googlenet
from neuropil.architectures.inception import inception_v3
from neuropil.architectures.inception_resnet import inception_resnet_v2
from neuropil.architectures.inception_v4 import inception_v4
from neuropil.architectures.lenet import lenet5
from neuropil.architectures.mixture import mixture_of_experts
from neuropil.architectures.mobilenet import mobilenet
from neuropil.architectures.nin import nin
from neuropil.architectures.published.weights import load_weights
from neuropil.architectures.resnet import (
    resnet18,
    resnet20,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)
from neuropil.architectures.squeezenet import squeezenet
from neuropil.architectures.unet import unet
from neuropil.architectures.vgg import vgg11, vgg13, vgg16, vgg19
from neuropil.architectures.xception import xception

__all__ = [
    "alexnet",
    "caffenet128",
    "dense",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "googlenet",
    "inception_resnet_v2",
    "inception_v3",
    "inception_v4",
    "lenet5",
    "load_weights",
    "mixture_of_experts",
    "mobilenet",
    "nin",
    "resnet18",
    "resnet20",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "small_convolutional",
    "squeezenet",
    "unet",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "xception",
]
