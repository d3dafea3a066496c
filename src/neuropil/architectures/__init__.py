"""Networks composed from layers, ready to train."""

from neuropil.architectures.small import dense, small_convolutional

__all__ = ["dense", "small_convolutional"]
