"""Competitive networks: units compete for the inputs, and the winners learn."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.classic.competitive.som.map_errors import MapErrors as MapErrors
    from neuropil.classic.competitive.som.map_errors import error_front as error_front

load_on_use(__name__, __file__)
