"""Vision: where things are in pictures."""

from neuropil.lazy import load_on_use

load_on_use(__name__, __file__)
