"""Networks composed from layers, ready to train."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.architectures.alexnet import alexnet as alexnet
    from neuropil.architectures.caffenet import caffenet128 as caffenet128
    from neuropil.architectures.default_networks import dense as dense
    from neuropil.architectures.default_networks import (
        small_convolutional as small_convolutional,
    )
    from neuropil.architectures.default_networks import (
        varied_convolutional as varied_convolutional,
    )
    from neuropil.architectures.densenet import densenet121 as densenet121
    from neuropil.architectures.densenet import densenet161 as densenet161
    from neuropil.architectures.densenet import densenet169 as densenet169
    from neuropil.architectures.densenet import densenet201 as densenet201
    from neuropil.architectures.detectors.rcnn import fast_rcnn as fast_rcnn
    from neuropil.architectures.detectors.rcnn import faster_rcnn as faster_rcnn
    from neuropil.architectures.detectors.rcnn import rcnn as rcnn
    from neuropil.architectures.detectors.yolo import yolo as yolo
    from neuropil.architectures.googlenet import googlenet as googlenet
    from neuropil.architectures.inception import inception_v3 as inception_v3
    from neuropil.architectures.inception_resnet import (
        inception_resnet_v2 as inception_resnet_v2,
    )
    from neuropil.architectures.inception_v4 import inception_v4 as inception_v4
    from neuropil.architectures.lenet import lenet5 as lenet5
    from neuropil.architectures.mixture import mixture_of_experts as mixture_of_experts
    from neuropil.architectures.mobilenet import mobilenet as mobilenet
    from neuropil.architectures.nin import nin as nin
    from neuropil.architectures.published.weights import load_weights as load_weights
    from neuropil.architectures.resnet import resnet18 as resnet18
    from neuropil.architectures.resnet import resnet20 as resnet20
    from neuropil.architectures.resnet import resnet34 as resnet34
    from neuropil.architectures.resnet import resnet50 as resnet50
    from neuropil.architectures.resnet import resnet101 as resnet101
    from neuropil.architectures.resnet import resnet152 as resnet152
    from neuropil.architectures.siamese import siamese as siamese
    from neuropil.architectures.squeezenet import squeezenet as squeezenet
    from neuropil.architectures.unet import unet as unet
    from neuropil.architectures.vgg import vgg11 as vgg11
    from neuropil.architectures.vgg import vgg13 as vgg13
    from neuropil.architectures.vgg import vgg16 as vgg16
    from neuropil.architectures.vgg import vgg19 as vgg19
    from neuropil.architectures.xception import xception as xception

load_on_use(__name__, __file__)
