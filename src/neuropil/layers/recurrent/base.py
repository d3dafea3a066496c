"""Base class of the recurrent layers: states, directions, weights in torch's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import flag, shown, whole
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes
from neuropil.init import Orthogonal, XavierUniform
from neuropil.layers.layer_options import Bias, Weight, initializer, set_bias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from neuropil.core.layer import Initializer

XAVIER = XavierUniform()
ORTHOGONAL = Orthogonal()

# Torch's names, so that the state dict of a one-layer torch.nn.LSTM or GRU can be loaded.
NAMES = tuple(
    f"{name}_l0{suffix}"
    for suffix in ("", "_reverse")
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
)
# Result of a run: the outputs of all steps, and the state after the last.
Run = tuple[Tensor, tuple[Tensor, ...]]


class Recurrent(Layer):
    """Base class of layers that read a sequence step by step and carry a state along.

    A subclass defines `gates`, `mode`, and `steps`, which processes a whole batch.

    Shape:
        ``(T, D)`` to ``(units)``, or ``(T, units)`` for the whole sequence; T may be free.

    Args:
        units: Width of the state.
        only_last: Whether to return only the output of the last step.
        bidirectional: Whether a second set of weights reads the sequence backwards.
        backward: Whether the sequence is read from its end.
        learn_start: Whether the initial state is learned, starting at zero.
        bias: Whether the maps add a bias; or the initial values of that of the inputs.
        weight: Initial values of each gate's map of the input.
        recurrent_weight: Initial values of each gate's map of the state.
        name: Name in the network.

    Raises:
        ValueError: When `units` is not a whole number from 1 up.
        ShapeError: When the input is not a sequence, or the width of an initial state does not
            match.
    """

    channels_first = False
    sees_everything = True

    # Number of maps in each weight; torch's name of the layer; names of its states.
    gates: ClassVar[int]
    mode: str
    states: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        units: int,
        *,
        only_last: bool = True,
        bidirectional: bool = False,
        backward: bool = False,
        learn_start: bool = False,
        bias: Bias = True,
        weight: Weight = XAVIER,
        recurrent_weight: Weight = ORTHOGONAL,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.units = whole(units, f"{kind}: units")
        self.only_last = flag(only_last, f"{kind}: only_last")
        self.bidirectional = flag(bidirectional, f"{kind}: bidirectional")
        self.directions = 1 + self.bidirectional
        self.backward = flag(backward, f"{kind}: backward")
        if self.backward and self.bidirectional:
            raise ValueError(
                f"{kind}: backward has no effect with bidirectional=True, which reads the "
                f"sequence in both directions: give one of the two."
            )
        self.learn_start = flag(learn_start, f"{kind}: learn_start")
        self.has_bias = set_bias(self, bias, "bias_ih")
        self.weight_names = tuple(
            name
            for name in NAMES[: 4 * self.directions]
            if self.has_bias or name.startswith("weight")
        )
        self.initializers["weight_ih"] = initializer(weight, f"{kind}: weight")
        self.initializers["weight_hh"] = initializer(
            recurrent_weight, f"{kind}: recurrent_weight"
        )

    @override
    def output_shape(self, shape: Shape, *states: Shape) -> Shape:
        self.width(shape)
        outputs = self.units * self.directions
        if states and self.learn_start:
            raise ShapeError(
                f"{shown(self)} learns its initial state and takes none as input, got "
                f"{format_shapes((shape, *states))}: leave out learn_start, or the inputs."
            )
        if any(state != (outputs,) for state in states):
            wanted = " and ".join(f"{name} of shape ({outputs})" for name in self.states)
            raise ShapeError(
                f"{self!r} takes a sequence and optionally {wanted}, got "
                f"{format_shapes((shape, *states))}: end the network of a state in "
                f"{outputs} units."
            )
        return (outputs,) if self.only_last else (shape[0], outputs)

    @override
    def parameter_shapes(self, shape: Shape, *_: Shape) -> dict[str, tuple[int, ...]]:
        rows, columns = self.gates * self.units, self.width(shape)
        sizes = {"weight_ih": (rows, columns), "weight_hh": (rows, self.units)}
        shapes = {
            name: sizes.get(name.partition("_l0")[0], (rows,)) for name in self.weight_names
        }
        if self.learn_start:
            start = (self.units * self.directions,)
            shapes |= {f"{state}0": start for state in self.states}
        return shapes

    @override
    def multiply_adds(self, shape: Shape, *_: Shape) -> int:
        length, width = shape[0], self.width(shape)
        if length is None:
            fix = "give the length of the sequence"
            raise self.refuse("a known length to count multiply–adds", shape, fix)
        return length * self.directions * self.gates * self.units * (width + self.units)

    def width(self, shape: Shape) -> int:
        """Return the number of features per step.

        Raises:
            ShapeError: When the input is not a sequence, or that number is free.
        """
        if len(shape) != 2:
            fix = (
                "put Embedding(…) or Reshape(-1, 1) before it"
                if len(shape) == 1
                else "put Reshape(…) before it, with the steps first"
            )
            raise self.refuse("a sequence (T, D)", shape, fix)
        if shape[1] is None:
            fix = "only the number of steps may be free; give the width in Input(…)"
            raise self.refuse("a last axis of known length", shape, fix)
        return shape[1]

    @override
    def maps_in(self, name: str, parameter: Tensor) -> Iterable[Tensor]:
        # Detached: autograd forbids in-place writes to one of several views.
        return parameter.detach().chunk(self.gates if "_l0" in name else 1)

    @override
    def initializer_of(self, name: str) -> Initializer | None:
        return self.initializers.get(name.removesuffix("_reverse").removesuffix("_l0"))

    # Running it

    def run(self, x: Tensor, state: tuple[Tensor, ...] = ()) -> Run:
        """Return the outputs of all steps and the state after the last one.

        A sequence read in parts, each from the state after the previous part, gives the same
        outputs as read at once; with `backward`, the last part comes first. Text generation
        uses this to run one character at a time.

        Args:
            x: A batch of sequences, ``(N, T, D)``.
            state: Initial state, one tensor ``(N, units)`` for each state; if empty, zeros or
                the learned start. With two directions ``(N, 2·units)``, forward before
                backward.

        Returns:
            The outputs, ``(N, T, units)``, regardless of `only_last`, and the state in the form
            of the argument.
        """
        outputs, *after = self.read(x, state)
        return outputs, tuple(map(self.merge_directions, after))

    @override
    def forward(self, x: Tensor, *state: Tensor) -> Tensor:
        outputs, last, *_ = self.read(x, state)
        return self.merge_directions(last) if self.only_last else outputs

    def read(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the outputs in the order of the inputs, and the states after the last step."""
        if self.learn_start and not state:
            state = tuple(
                getattr(self, f"{name}0").expand(x.shape[0], -1).contiguous()
                for name in self.states
            )
        starts = self.starts(x, state)
        if not self.backward:
            return self.steps(x, starts)
        outputs, *after = self.steps(x.flip(1), starts)
        return outputs.flip(1), *after

    def starts(self, x: Tensor, state: tuple[Tensor, ...]) -> list[Tensor]:
        """Return all initial states with the directions first, as in torch."""
        if self.directions == 1:
            starts = [value.unsqueeze(0) for value in state]
        else:
            starts = [torch.stack(value.chunk(2, -1)) for value in state]
        if len(starts) < len(self.states):
            zeros = x.new_zeros(self.directions, x.shape[0], self.units)
            starts += [zeros] * (len(self.states) - len(starts))
        return starts

    def merge_directions(self, state: Tensor) -> Tensor:
        """Return a state ``(directions, N, units)``, as in torch, as ``(N, units)``."""
        return state[0] if self.directions == 1 else torch.cat((state[0], state[1]), -1)

    def steps(self, x: Tensor, starts: list[Tensor]) -> tuple[Tensor, ...]:
        """Return the outputs of all steps, and the states after the last one."""
        raise NotImplementedError

    def fused(self, kernel: Callable[..., Any], x: Tensor, starts: Any) -> tuple[Tensor, ...]:
        """Return the outputs and states of one of torch's kernels, in the form of `steps`."""
        one_layer, no_dropout = 1, 0.0
        batch_first = True
        return disable_compile(kernel)(
            x,
            starts,
            self.weights(),
            self.has_bias,
            one_layer,
            no_dropout,
            self.training,
            self.bidirectional,
            batch_first,
        )

    def weights(self) -> list[Tensor]:
        """Return the weights as torch's kernels take them."""
        # By name: a wrapper that shards them may have removed them from the dict.
        return [getattr(self, name) for name in self.weight_names]

    @override
    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        moved = super()._apply(fn, recurse)
        self.flatten_parameters()
        return moved

    def flatten_parameters(self) -> None:
        """Make the weights contiguous in memory, as cuDNN needs."""
        weights: list[Any] = [self._parameters.get(name) for name in self.weight_names]
        if not all(weight is not None and accepted_by_cudnn(weight) for weight in weights):
            return
        from torch.backends.cudnn import rnn

        with torch.no_grad(), torch.cuda.device_of(weights[0]):
            torch._cudnn_rnn_flatten_weight(  # pyright: ignore[reportPrivateUsage]  # as torch does
                weights,
                len(weights) // self.directions,
                weights[0].shape[1],
                rnn.get_cudnn_mode(self.mode),
                self.units,
                0,
                1,
                True,  # noqa: FBT003 - batch first
                self.bidirectional,
            )


def disable_compile(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that `torch.compile` does not trace, as with torch's own layers.

    It would unroll the loop over the steps: slow to compile, slower to run than the kernel, and
    wrong for some inputs on CPU (torch 2.13). Exporting does not unroll.
    """
    compiler = torch.compiler
    # Torch 2.6 cannot distinguish the two.
    exporting = getattr(compiler, "is_exporting", compiler.is_compiling)
    if not compiler.is_compiling() or exporting():
        return kernel
    return compiler.disable(kernel)


def accepted_by_cudnn(weight: Tensor) -> bool:
    """Return whether cuDNN accepts a weight."""
    return weight.is_cuda and torch.backends.cudnn.is_acceptable(weight)
