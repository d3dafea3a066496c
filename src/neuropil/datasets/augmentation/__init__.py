"""Change training examples a little, whole batches at once, on their own device.

Every augmentation is called as ``augmentation(inputs, targets, generator)`` and returns inputs
and targets; it draws from the generator alone. Inputs are raw: the network normalises them
afterwards.
"""

from neuropil.datasets.augmentation.affine import RandomAffine, RandomRotation
from neuropil.datasets.augmentation.base import Augmentation
from neuropil.datasets.augmentation.chain import Compose
from neuropil.datasets.augmentation.erasing import RandomErasing
from neuropil.datasets.augmentation.mixup import Mixup
from neuropil.datasets.augmentation.shift import RandomFlip, RandomShift

__all__ = [
    "Augmentation",
    "Compose",
    "Mixup",
    "RandomAffine",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomShift",
]
