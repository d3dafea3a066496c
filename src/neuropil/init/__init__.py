"""Parameter initialisers: plain data that describe initial weights, and fill them when called.

Fans come from the shape ``(out, in / groups, *kernel)``: fan-in is the number of inputs that
one output sums, ``shape[1] · ∏ kernel``; fan-out is ``shape[0] · ∏ kernel``.

In torch the gain g multiplies the standard deviation; here it multiplies the variance: ``gain =
g²``.
"""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.init.base import Initializer as Initializer
    from neuropil.init.distributions import Constant as Constant
    from neuropil.init.distributions import Normal as Normal
    from neuropil.init.distributions import Orthogonal as Orthogonal
    from neuropil.init.distributions import Uniform as Uniform
    from neuropil.init.fan_scaled import HeNormal as HeNormal
    from neuropil.init.fan_scaled import HeUniform as HeUniform
    from neuropil.init.fan_scaled import XavierNormal as XavierNormal
    from neuropil.init.fan_scaled import XavierUniform as XavierUniform

load_on_use(__name__, __file__)
