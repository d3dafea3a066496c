"""Any PyTorch module as a layer."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from typing_extensions import override

from neuropil.checks import one_of
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes

# Values tried in turn for free lengths, until the module accepts one: lengths divisible by many
# halvings, small ones for modules that accept no more, then large ones.
TRIED = (224, 64, 16, 4, 1024)
BATCH = 2


class Module(Layer):
    """Wrap any PyTorch module as a layer: y = module(x).

    Its output shape is found by running a copy on the meta device in test mode, which costs
    almost no time and memory. Axes whose length depends on a free length of the input are free.
    Joining keeps its weights; ``network.reset_parameters()`` initialises them again in all
    submodules that have a ``reset_parameters`` method and are not frozen.

    Shape:
        The output shape of the module. The first axis of its inputs and its output is the
        batch. The receptive field is taken to be the whole input, since it cannot be known.

    Args:
        module: Takes one tensor for each input and returns one tensor. Its parameters appear as
            ``module1.module.weight`` and so on.
        dtype: ``"float"``, or ``"int64"`` for a module that takes indices.
        name: Name in the network, in place of ``module1``.

    Raises:
        TypeError: When `module` is not a PyTorch module, or is a layer or network of Neuropil,
            which can be joined without it.
        ValueError: When `dtype` is neither; or when a network with such a layer is saved, and
            the module is not one of ``torch.nn`` that its constructor makes again, or an
            ``nn.Sequential`` of them.
        ShapeError: When the module fails on the input, or returns anything but one tensor with
            the batch axis first.

    Reference:
        ``torch.nn.Module``.

    Example:
        >>> from neuropil.layers import Input
        >>> network = Input(3, None, 32) >> Module(nn.Conv2d(3, 8, 5, stride=2))
        >>> network.output_shape
        (8, None, 14)
        >>> Input(20, dtype="int64") >> Module(nn.Embedding(100, 4), dtype="int64")
        Input(20, dtype='int64') >> Module(Embedding(100, 4), dtype='int64')
    """

    channels_first = False

    sees_everything = True

    inputs_taken = (1, None)

    def __init__(
        self, module: nn.Module, *, dtype: str = "float", name: str | None = None
    ) -> None:
        super().__init__(name=name)
        if not isinstance(module, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may err
            raise TypeError(
                f"Module: module must be a torch.nn.Module, got {type(module).__name__}."
            )
        if hasattr(module, "__rshift__"):
            raise TypeError(f"Module: join {module!r} directly by >>, without Module(…).")
        one_of(dtype, "Module: dtype", ("float", "int64"))
        self.dtype_taken = "int" if dtype == "int64" else "float"
        self.module = module
        del self.forward  # it has its parameters already and needs no build

    @override
    def output_shape(self, *input_shapes: Shape) -> Shape:
        if all(None not in shape for shape in input_shapes):
            return self.shape_for(input_shapes, 1)
        failures: list[ShapeError] = []
        for length in TRIED:
            try:
                # Twice the length plus one distinguishes all strides and roundings.
                pair = [self.shape_for(input_shapes, free) for free in (length, 2 * length + 1)]
            except ShapeError as error:
                failures.append(error)
            else:
                return tuple(a if a == b else None for a, b in zip(*pair, strict=True))
        raise failures[0]

    def shape_for(self, input_shapes: tuple[Shape, ...], free: int) -> Shape:
        """Return the output shape for free lengths set to `free`.

        Raises:
            ShapeError: When the module fails, or does not return a tensor with a batch axis.
        """
        try:
            output = self.dry_run(input_shapes, free)
        except Exception as error:
            reason = f"{error or type(error).__name__}".strip().split("\n")[0]
            raise self.unfit(f"fails on {format_shapes(input_shapes)}: {reason}") from None
        if not isinstance(output, Tensor):
            raise self.unfit(
                f"returns a {type(output).__name__}: wrap it so that it returns one tensor"
            )
        if output.ndim < 2 or output.shape[0] != BATCH:
            raise self.unfit(
                f"returns {tuple(output.shape)} for a batch of {BATCH}: its first axis must be "
                f"the batch, and there must be another"
            )
        return tuple(output.shape[1:])

    def dry_run(self, input_shapes: tuple[Shape, ...], free: int = 1) -> object:
        """Return the output of a copy of the module in test mode on the meta device."""
        weights = self.module.parameters()
        floats = (w.dtype for w in weights if w.is_floating_point())
        dtype = next(floats, torch.get_default_dtype())
        if self.dtype_taken == "int":
            dtype = torch.int64
        with torch.device("meta"), torch.no_grad():
            inputs = [
                torch.empty(BATCH, *(free if n is None else n for n in shape), dtype=dtype)
                for shape in input_shapes
            ]
            return on_meta(self.module).eval()(*inputs)

    def unfit(self, what: str) -> ShapeError:
        """Return the error for a module that cannot be used as a layer."""
        return ShapeError(f"Module({type(self.module).__name__}(…)) {what}.")

    @override
    def multiply_adds(self, *input_shapes: Shape) -> int:
        with FlopCounterMode(display=False) as counter:
            self.dry_run(input_shapes)
        return counter.get_total_flops() // (2 * BATCH)

    @override
    def build(self, *input_shapes: Shape) -> None:
        # The module has its parameters already, and they may have been trained.
        self.set_built(*(self.built_for or input_shapes))

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        devices = {p.device for p in self.module.parameters() if p.is_cuda}
        with torch.random.fork_rng(devices, enabled=generator is not None):
            if generator is not None:
                device = generator.device
                seed = torch.randint(2**62, (), generator=generator, device=device)
                torch.manual_seed(seed.item())
            # Submodules come before their parents, which may initialise them in their own way.
            for part in reversed([*self.module.modules()]):
                redraw(part)

    @override
    def forward(self, *inputs: Tensor) -> Tensor:
        return self.module(*inputs)

    @override
    def __repr__(self) -> str:
        text = repr(self.module)
        short = f"{type(self.module).__name__}(…)" if "\n" in text else text
        return super().__repr__().replace(text, short)


def redraw(module: nn.Module) -> None:
    """Initialise a module's own parameters again, if it can and none is frozen."""
    parameters = list(module.parameters(recurse=False))
    frozen = parameters and not any(p.requires_grad for p in parameters)
    for name in ("reset_parameters", "_reset_parameters"):  # attention has the second
        reset = getattr(module, name, None)
        if callable(reset) and not frozen:
            reset()
            return


def on_meta(module: nn.Module) -> nn.Module:
    """Return a copy on the meta device; the contents of its tensors are never copied."""
    tensors = [*module.parameters(), *module.buffers()]
    # Tensors that are plain attributes, which `module.to` does not move.
    tensors += [
        v for part in module.modules() for v in vars(part).values() if isinstance(v, Tensor)
    ]
    copies: dict[int, Any] = {}
    for tensor in tensors:
        empty = torch.empty_like(tensor, device="meta", requires_grad=False)
        is_parameter = isinstance(tensor, nn.Parameter)
        copies[id(tensor)] = nn.Parameter(empty, requires_grad=False) if is_parameter else empty
    return copy.deepcopy(module, copies)
