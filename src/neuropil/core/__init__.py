"""The core: shapes, the base class of layers, networks and their composition."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.core.composition import join as join
    from neuropil.core.composition import parallel as parallel
    from neuropil.core.composition import repeat as repeat
    from neuropil.core.composition import shared as shared
    from neuropil.core.layer import Layer as Layer
    from neuropil.core.network import Network as Network
    from neuropil.core.shape import Shape as Shape
    from neuropil.core.shape import ShapeError as ShapeError
    from neuropil.core.shape import format_shape as format_shape

load_on_use(__name__, __file__)
