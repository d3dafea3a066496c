"""The rectifier and its leaky variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import flag, number
from neuropil.layers.activations.base import Activation
from neuropil.layers.layer_options import HE, Bias, Weight, initializer

if TYPE_CHECKING:
    from neuropil.core import Shape


class Relu(Activation):
    """The rectifier: max(0, x), or min(m, max(0, x)).

    Shape:
        ``(D)`` to ``(units)``, or ``(T, D)`` to ``(T, units)``; without units, any shape to
        the same.

    Args:
        units: Number of outputs of the affine map W x + b before it; None applies the rectifier
            alone.
        maximum: The largest output m, above 0; ``maximum=6`` is ReLU6. None for no upper bound.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``HeNormal()``, 2/D, since the function keeps about half of the signal's mean
            square.
        name: Name in the network, in place of ``relu1``.

    Raises:
        ValueError: When `units` is not a whole number from 1 up, or `maximum` not above 0.
        ShapeError: When a layer with units gets an image, or a last axis of free length.

    Reference:
        Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010;
        Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010, for ReLU6.

    Example:
        >>> Relu()(torch.tensor([[-1.0, 2.0]])).tolist()
        [[0.0, 2.0]]
        >>> Relu(maximum=6)(torch.tensor([[-1.0, 2.0, 8.0]])).tolist()
        [[0.0, 2.0, 6.0]]
        >>> Relu(500).output_shape((784,))
        (500,)
    """

    activate = staticmethod(torch.relu)
    in_place = staticmethod(torch.relu_)

    def __init__(
        self,
        units: int | None = None,
        *,
        maximum: float | None = None,
        bias: Bias = True,
        weight: Weight = HE,
        name: str | None = None,
    ) -> None:
        super().__init__(units, bias=bias, weight=weight, name=name)
        if units is not None or maximum is not None:
            self.in_place = None
        if maximum is not None:
            largest = number(maximum, "Relu: maximum", "(0, inf)")
            options = {"min_val": 0.0, "max_val": largest}
            self.activate = F.hardtanh
            self.options = options


class LeakyRelu(Activation):
    """The leaky rectifier: max(εx, x).

    Shape:
        ``(D)`` to ``(units)``, or ``(T, D)`` to ``(T, units)``; without units, any shape to
        the same.

    Args:
        units: Number of outputs of the affine map W x + b before it; None applies the function
            alone.
        epsilon: The slope ε on the negative side, from 0 to 1.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``HeNormal()``, 2/D, since the function keeps about half of the signal's mean
            square.
        name: Name in the network, in place of ``leakyrelu1``.

    Raises:
        ValueError: When `units` or `epsilon` is out of its range.
        ShapeError: When a layer with units gets an image, or a last axis of free length.

    Reference:
        Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models",
        2013.

    Example:
        >>> LeakyRelu(epsilon=0.25)(torch.tensor([[-1.0, 2.0]])).tolist()
        [[-0.25, 2.0]]
    """

    activate = staticmethod(F.leaky_relu)

    def __init__(
        self,
        units: int | None = None,
        *,
        epsilon: float = 0.01,
        bias: Bias = True,
        weight: Weight = HE,
        name: str | None = None,
    ) -> None:
        super().__init__(units, bias=bias, weight=weight, name=name)
        slope = number(epsilon, "LeakyRelu: epsilon", "[0, 1]")
        self.options = {"negative_slope": slope}


class PRelu(Activation):
    """The parametric rectifier, with a learned slope: max(0, x) + ε·min(0, x).

    Shape:
        ``(D)`` to ``(units)``, or ``(T, D)`` to ``(T, units)``; without units, any shape to
        the same. The parameter ``epsilon`` is ``(1)`` or ``(channels)``.

    Args:
        units: Number of outputs of the affine map W x + b before it; None applies the function
            alone.
        shared: Whether one ε applies to all values. Otherwise there is one for each unit or,
            without units, for each channel (axis 0 of the input, at every rank).
        epsilon: Initial value of the slope ε: a number, an array or an initialiser.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``HeNormal()``, 2/D, since the function keeps about half of the signal's mean
            square.
        name: Name in the network, in place of ``prelu1``.

    Raises:
        ValueError: When `units` or `epsilon` is out of its range.
        ShapeError: When a layer with units gets an image, or a last axis of free length, or
            with ``shared=False`` a free number of channels.

    Reference:
        He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015, eq. 1; ``torch.nn.PReLU``.

    Example:
        >>> from neuropil.layers import Input
        >>> network = Input(2) >> PRelu(shared=False)
        >>> network(torch.tensor([[-1.0, 2.0]])).tolist()
        [[-0.25, 2.0]]
        >>> PRelu(shared=False).parameter_shapes((16, 8, 8))
        {'epsilon': (16,)}
    """

    epsilon: Tensor

    def __init__(
        self,
        units: int | None = None,
        *,
        shared: bool = True,
        epsilon: Weight = 0.25,
        bias: Bias = True,
        weight: Weight = HE,
        name: str | None = None,
    ) -> None:
        super().__init__(units, bias=bias, weight=weight, name=name)
        self.shared = flag(shared, "PRelu: shared")
        self.initializers["epsilon"] = initializer(epsilon, "PRelu: epsilon")

    @override
    def output_shape(self, shape: Shape) -> Shape:
        self.slopes(shape)
        return super().output_shape(shape)

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return super().parameter_shapes(shape) | {"epsilon": (self.slopes(shape),)}

    def slopes(self, shape: Shape) -> int:
        """Return the number of slopes.

        Raises:
            ShapeError: When the number of channels is free.
        """
        slopes = 1 if self.shared else self.units or shape[0]
        if slopes is None:
            fix = "give it in Input(…), or leave out shared=False"
            raise self.refuse("a known number of channels", shape, fix)
        return slopes

    @override
    def forward(self, x: Tensor) -> Tensor:
        if self.units is None:
            return torch.prelu(x, self.epsilon)
        x = F.linear(x, self.weight, self.bias)
        # torch applies one slope to each entry of axis 1; here units are the last axis.
        return torch.prelu(x.transpose(1, -1), self.epsilon).transpose(1, -1)
