"""Augmentations: random changes to whole batches of training examples, on their device.

Every augmentation is called as ``augmentation(inputs, targets, generator)`` and returns inputs
and targets; the generator is its only source of random numbers. Inputs are raw: the network
normalises them afterwards. Padded pictures come with their mask, as a pair, and so they return.

Steps that move pixels do so by a matrix for each picture, ``augmentation.bind(target.move)``
moves targets by the same matrix, and `Compose` joins the matrices of neighbouring steps.
"""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.datasets.augmentation.affine import RandomAffine as RandomAffine
    from neuropil.datasets.augmentation.affine import RandomRotation as RandomRotation
    from neuropil.datasets.augmentation.base import Augmentation as Augmentation
    from neuropil.datasets.augmentation.chain import Compose as Compose
    from neuropil.datasets.augmentation.color_jitter import ColorJitter as ColorJitter
    from neuropil.datasets.augmentation.crop import RandomCrop as RandomCrop
    from neuropil.datasets.augmentation.crop import RandomResizedCrop as RandomResizedCrop
    from neuropil.datasets.augmentation.cutmix import CutMix as CutMix
    from neuropil.datasets.augmentation.erasing import RandomErasing as RandomErasing
    from neuropil.datasets.augmentation.flip import RandomFlip as RandomFlip
    from neuropil.datasets.augmentation.mixup import Mixup as Mixup
    from neuropil.datasets.augmentation.mosaic import Mosaic as Mosaic
    from neuropil.datasets.augmentation.shift import RandomShift as RandomShift
    from neuropil.datasets.augmentation.zoom import RandomZoom as RandomZoom

load_on_use(__name__, __file__)
