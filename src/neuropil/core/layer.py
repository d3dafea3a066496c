"""Base class of layers: hyper-parameters, shape rule, parameters, forward pass."""

from __future__ import annotations

import copy
import functools
import keyword
import math
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Literal, Self

import torch
from torch import Tensor, nn
from typing_extensions import override

from neuropil.checks import shown
from neuropil.core.arguments import Arguments
from neuropil.core.free_memory import require_memory
from neuropil.core.shape import Shape, ShapeError, format_shape, format_shapes

if TYPE_CHECKING:
    from neuropil.core.network import Network
    from neuropil.core.window import Reach

# Fills a tensor in place; the public ones are in `neuropil.init`.
Initializer = Callable[..., object]

# Types of attributes that torch never registers in a module.
PLAIN = frozenset(
    (
        *(bool, int, float, str, tuple, list, dict, type(None)),
        *(FunctionType, BuiltinFunctionType, MethodType),
    )
)
set_plain = object.__setattr__

# Below this number of weights memory is no concern, and the check is not worth its time.
CERTAINLY_FITS = 2**26


def descendants(cls: type) -> list[type]:
    """Return all subclasses of a class, including those defined by users."""
    below = cls.__subclasses__()
    return [*below, *(deeper for child in below for deeper in descendants(child))]


class Composable:
    """Base class of layers and networks: ``a >> b`` is in series, ``a | b`` in parallel."""

    def __rshift__(self, other: object) -> Network:
        """Feed the output of this into `other`; neither operand changes."""
        if not isinstance(other, Composable):
            return refuse_operand(other)
        return operations().join(self, other)

    def __or__(self, other: object) -> Network:
        """Set both in parallel; neither operand changes."""
        if not isinstance(other, Composable):
            return refuse_operand(other)
        return operations().parallel(self, other)


def refuse_operand(other: object) -> Any:
    """Leave an operand that is not a layer to Python.

    Raises:
        TypeError: If it is a module of PyTorch, which can be wrapped.
    """
    if isinstance(other, nn.Module):
        name = type(other).__name__
        raise TypeError(
            f"{name} is a module of PyTorch and not a layer: write Module({name}(…)), with "
            "Module of neuropil.layers."
        )
    return NotImplemented


@functools.cache
def operations() -> ModuleType:
    """Return the module of compositions, imported late and cached, since it needs this one."""
    from neuropil.core import composition

    return composition


class Layer(Composable, Arguments, nn.Module):
    """Base class of layers, which know their output shape before they have weights.

    To define a layer, write a subclass with a constructor for the hyper-parameters,
    `output_shape`, `parameter_shapes` if it has parameters, and `forward`. Sizes that follow
    from the input are never arguments: `build` gets them when layers are joined.

    Args:
        name: Name of the layer in its network; by default its class name in lower case and a
            number, such as ``convolution3``.

    Raises:
        ValueError: When `name` is not a Python identifier.

    Example:
        >>> class Double(Layer):
        ...     def forward(self, x):
        ...         return 2 * x
        >>> Double()(torch.ones(1, 2))
        tensor([[2., 2.]])
        >>> Double().output_shape((2,))
        (2,)
    """

    # The minimum and maximum number of inputs; None means any number.
    inputs_taken: tuple[int, int | None] = (1, 1)
    # "float", "int", or "any" for layers that only rearrange values.
    dtype_taken: Literal["float", "int", "any"] = "float"

    # The number of last inputs that are taken for their lengths alone, not for their values.
    inputs_for_lengths: int = 0
    # Whether each position of the output depends on the whole input.
    sees_everything: bool = False

    given_name: str | None = None
    initializers: dict[str, Initializer]
    # The input shapes that the parameters were created for.
    built_for: tuple[Shape, ...] | None = None

    def __init__(self, *, name: str | None = None) -> None:
        start_module(self)
        if name is not None:
            check_name(name, f"{type(self).__name__}: name")
            self.given_name = name
        # Set directly, as in `set_built`: composing makes layers by the hundred.
        own = self.__dict__
        own["initializers"] = {}
        own["forward"] = self.by_hand  # until it is joined

    @override
    def __setattr__(self, name: str, value: Any) -> None:
        # Torch's `__setattr__` is ten times as slow, and composing sets thousands of plain
        # values.
        own = self.__dict__
        if type(value) in PLAIN and (
            "_modules" not in own  # a subclass may set it before this class is initialised
            or not (
                name in own["_parameters"] or name in own["_buffers"] or name in own["_modules"]
            )
        ):
            set_plain(self, name, value)
        else:
            super().__setattr__(name, value)

    # Typed to take anything, so that a subclass may name one shape per input.

    def output_shape(self, *input_shapes: Any, **_: Any) -> Shape:
        """Return the shape of one output sample, or raise `ShapeError`; creates no tensors."""
        return input_shapes[0]

    def parameter_shapes(self, *_: Any, **__: Any) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter by name; creates no tensors."""
        return {}

    def multiply_adds(self, *_: Any, **__: Any) -> int:
        """Return the number of multiply–adds for one sample."""
        return 0

    def reaches(self, *_: Any, **__: Any) -> tuple[Reach, ...] | None:
        """Return the receptive field of one output: a `Reach` per axis after the channels.

        It is empty if each position sees only itself, and ``None`` if each sees the whole
        input.
        """
        return None if self.sees_everything else ()

    def fans(self) -> tuple[int, int] | None:
        """Return (fan-in, fan-out), or ``None`` if they follow from the weight's shape."""
        return None

    def build(self, *input_shapes: Shape) -> None:
        """Create the parameters for these input shapes, once.

        Raises:
            ShapeError: When the layer was built for shapes that need other parameters.
            MemoryError: When the parameters exceed the free memory.
        """
        shapes = self.parameter_shapes(*input_shapes)
        if self.built_for is not None:
            self.check_built(*input_shapes)
            return
        self.set_built(*input_shapes)
        if shapes:
            check_memory(self, shapes)
        parameter = None
        for name, shape in shapes.items():
            # Set directly: the checks of `register_parameter` cost more than the rest.
            parameter = self._parameters[name] = nn.Parameter(torch.empty(shape))
        if parameter is None or not parameter.is_meta:
            self.reset_parameters()

    def set_built(self, *input_shapes: Shape) -> None:
        """Store the input shapes, and stop checking calls."""
        own = self.__dict__
        own["built_for"] = input_shapes
        own.pop("forward", None)

    def by_hand(self, *inputs: Any) -> Any:
        """Run a layer that was not joined to an input, with the checks of a join.

        Raises:
            ShapeError: When the inputs do not fit, or the layer needs parameters.
        """
        tensors = all(isinstance(value, torch.Tensor) for value in inputs)
        if tensors and not torch.compiler.is_compiling():
            self.check_inputs(*inputs)
        return type(self).forward(self, *inputs)

    def check_inputs(self, *inputs: Tensor) -> None:
        """Raise an error for a batch that does not fit, or if the layer needs parameters.

        Raises:
            ShapeError: When that is so.
        """
        fewest, most = self.inputs_taken
        if not fewest <= len(inputs) <= (most or len(inputs)):
            raise ShapeError(f"{shown(self)} takes {self.inputs_in_words}, got {len(inputs)}.")
        shapes = [tuple(value.shape[1:]) for value in inputs]
        try:
            self.output_shape(*shapes)
            needs_parameters = self.needs_parameters(*shapes)
        except IndexError:  # there is no axis after the batch
            raise self.refuse(
                "a batch, with its axis first", shapes[0], "stack samples"
            ) from None
        if needs_parameters:
            source = ", ".join(map(str, shapes[0]))
            raise ShapeError(
                f"{shown(self)} has no parameters yet, since the shape of its input is not "
                f"known: join it to an Input first, as in Input({source}) >> {shown(self)}."
            )

    @property
    def inputs_in_words(self) -> str:
        """The number of inputs in words: ``"1 input"``, ``"at least 2 inputs"``."""
        fewest, most = self.inputs_taken
        if most is None:
            return f"at least {fewest} input{'s' * (fewest > 1)}"
        several = f"{fewest} to {most}" if most > fewest else f"{most}"
        return f"{several} input{'s' * (most > 1)}"

    def needs_parameters(self, *input_shapes: Shape) -> bool:
        """Return whether the layer must be built before it can run."""
        return bool(self.parameter_shapes(*input_shapes))

    def check_built(self, *input_shapes: Shape) -> None:
        """Raise an error if the parameters of a built layer do not fit these input shapes.

        Raises:
            ShapeError: When they do not.
        """
        shapes = self.parameter_shapes(*input_shapes)
        parameters = dict(self.named_parameters(recurse=False))
        if any(tuple(parameters[name].shape) != shapes[name] for name in shapes):
            raise ShapeError(
                f"{shown(self)} is already built for {format_shapes(self.built_for or ())} and "
                f"cannot take {format_shapes(input_shapes)}: copy it first with copy.deepcopy, "
                f"or create it again."
            )

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Initialise the parameters again; those without an initialiser become zero."""
        for name, parameter in self._parameters.items():
            if parameter is None or parameter.is_meta:
                continue
            initializer = self.initializer_of(name)
            if initializer is None:
                nn.init.zeros_(parameter)
                continue
            whole = fixed_shape(initializer) is not None
            for part in (parameter,) if whole else self.maps_in(name, parameter):
                initializer(part, generator, fans=self.fans())

    def check_starts(self, *input_shapes: Shape) -> None:
        """Raise an error if an array given as initial values does not fit its parameter.

        Raises:
            ShapeError: When its shape is not that of the parameter.
        """
        if not any(map(fixed_shape, self.initializers.values())):
            return
        for name, shape in self.parameter_shapes(*input_shapes).items():
            given = fixed_shape(self.initializer_of(name))
            if given not in (None, shape):
                raise ShapeError(
                    f"{shown(self)} was given an array of shape {format_shape(given)} for "
                    f"{name}, which has shape {format_shape(shape)} after "
                    f"{format_shapes(input_shapes)}."
                )

    def initializer_of(self, name: str) -> Initializer | None:
        """Return the initialiser of a parameter; ``None`` for zeros."""
        return self.initializers.get(name)

    def maps_in(self, name: str, parameter: Tensor) -> Iterable[Tensor]:  # noqa: ARG002 - subclasses use it
        """Return the maps stacked in a parameter, each of which is initialised on its own.

        Stacked maps, such as gates, or queries and keys, take a single matrix product.
        """
        return (parameter,)

    def fresh(self) -> Self:
        """Return a copy of this layer, with a copy of its weights if it has any."""
        if self.built_for is not None:
            return copy.deepcopy(self)
        args, kwargs = copy.deepcopy(self.__dict__["_call"])
        return type(self)(*args, **kwargs)

    def without_activation(self) -> Layer | None:
        """Return the affine part with shared parameters, if this ends in a sigmoid or softmax.

        It is ``None`` for every other layer. Losses take the scores before a last sigmoid or
        softmax.
        """
        return None

    # Whether axis 0 of an output of rank 2 holds channels, as in a signal (C, L), rather than
    # steps, as in a sequence (T, D); None if it is the same as in the input.
    channels_first: bool | None = None
    # Whether the layer works along the last axis at rank 2 by default.
    assumes_sequence: bool = False

    # The in-place form of the function, if there is one.
    in_place: Callable[[Tensor], Tensor] | None = None

    def makes_new(self, inputs: int) -> bool:  # noqa: ARG002 - subclasses use it
        """Return whether the output is a new tensor, needed neither here nor for gradients.

        Args:
            inputs: Number of inputs.
        """
        return False

    def is_mask(self, shape: Shape) -> bool:  # noqa: ARG002 - subclasses use it
        """Return whether a further input of this shape is a mask, which holds integers."""
        return False

    def refuse(self, needs: str, shape: Shape, fix: str) -> ShapeError:
        """Return the error for an input that does not fit."""
        return ShapeError(f"{shown(self)} needs {needs}, got {format_shape(shape)}: {fix}.")

    # The repr of Arguments, not torch's: one line of valid Python.
    __repr__ = Arguments.__repr__


def fixed_shape(initializer: Initializer | None) -> Shape | None:
    """Return the shape of the only parameters that an initialiser fills; None for any."""
    return getattr(initializer, "shape", None)


# The attributes that torch's constructor sets in every module: constants, empty containers.
BARE = dict(vars(nn.Module()))
EMPTY = tuple((key, type(value)) for key, value in BARE.items() if hasattr(value, "clear"))


def start_module(module: nn.Module) -> None:
    """Do the same as `nn.Module.__init__`, but three times as fast."""
    own = module.__dict__
    own.update(BARE)
    for key, kind in EMPTY:
        own[key] = kind()


def check_name(name: object, what: str = "name") -> None:
    """Raise an error for a name that cannot be an attribute of a network.

    Args:
        name: The name.
        what: Name of the option, for the message.

    Raises:
        ValueError: When `name` is not a plain Python identifier.
    """
    if (
        not isinstance(name, str)
        or not name.isidentifier()
        or keyword.iskeyword(name)
        or name.startswith("_")
    ):
        raise ValueError(
            f"{what} must be a Python identifier that does not start with _, such as "
            f"'conv3', got {shown(name)}."
        )
    if hasattr(operations().Network, name) or name in ("graph", "names", "training"):
        raise ValueError(f"{what} cannot be {shown(name)}: networks use that name.")


def check_memory(layer: Layer, shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise an error for parameters that do not fit into the free memory.

    Raises:
        MemoryError: When they do not fit.
    """
    elements = sum(map(math.prod, shapes.values()))
    if elements < CERTAINLY_FITS or torch.get_default_device().type != "cpu":
        return
    needed = elements * torch.get_default_dtype().itemsize
    require_memory(needed, f"{shown(layer)} with {elements:,} parameters")
