"""What a layer keeps in memory for its backward pass: asked of PyTorch once for each kind."""

from __future__ import annotations

import contextlib
import copy
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from neuropil.core.shape import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.core import Layer, Shape
    from neuropil.core.graph import Kind

# The shapes of several inputs, every length known.
Sizes: TypeAlias = "tuple[tuple[int, ...], ...]"

# A layer is asked with few numbers: so many along each axis of a picture, so many channels, and
# so many in a vector. What it keeps grows with its output.
PICTURE, CHANNELS, VECTOR = 16, 16, 64

# How many samples it is shown: what the one more adds is what a sample takes.
FEW, MORE = 2, 3

# No question takes more numbers, and so many answers are remembered.
MOST_NUMBERS, MOST_ANSWERS = 2**23, 4096


class Retained(NamedTuple):
    """What a call of a layer keeps in memory.

    Args:
        inputs: Whether its backward pass needs its inputs.
        output: Whether its backward pass needs its output.
        others: Bytes a sample of what else it needs, such as the places of the maxima.
        view: Whether its output is its input in another shape, so that it takes no memory.
        test_view: The same in test mode, in which Dropout is one.
    """

    inputs: bool
    output: bool
    others: int
    view: bool
    test_view: bool


# Of a layer that cannot be asked: what most layers need, or more.
UNKNOWN = Retained(inputs=True, output=True, others=0, view=False, test_view=False)

answers: dict[tuple[Any, ...], Retained] = {}


def retained(
    layer: Layer, shapes: tuple[Shape, ...], kinds: tuple[Kind | None, ...], dtype: torch.dtype
) -> Retained:
    """Return what a call of a layer keeps; a small twin of it is run to find out.

    Args:
        layer: The layer; it is neither run nor changed.
        shapes: What it takes, every length known.
        kinds: Whether each of these holds floats or integers.
        dtype: The type of the floats.
    """
    # Straight from the dictionaries: what fills in defaults and walks modules costs ten times
    # as much, and this is asked of every call.
    args, kwargs = layer.__dict__["_call"]
    options = [(name, value) for name, value in kwargs.items() if name != "name"]
    kind = (
        type(layer),
        tuple(map(decisive, args)),
        tuple((name, decisive(value)) for name, value in options),
        tuple(p is not None and p.requires_grad for p in vars(layer)["_parameters"].values()),
        kinds,
        dtype,
    )
    answer = answers.get(kind)
    if answer is not None and not answer.others:
        return answer
    # What else is kept depends on all numbers; whether anything is, only on the kind of layer.
    exact = (kind, repr((args, options)), shapes)
    if exact not in answers:
        if len(answers) > MOST_ANSWERS:
            answers.clear()
        answers[exact] = ask(layer, shapes, kinds, dtype)
        # Another of the kind may be small enough to be asked.
        if answers[exact] is not UNKNOWN:
            answers[kind] = answers[exact]
    return answers[exact]


def decisive(value: object) -> object:
    """Return what of an option decides which tensors are kept: not how large a number is."""
    return value if value is None or isinstance(value, str | bool) else type(value)


def ask(
    layer: Layer, shapes: tuple[Shape, ...], kinds: tuple[Kind | None, ...], dtype: torch.dtype
) -> Retained:
    """Run a small twin of a layer and see what it keeps; of the full size if it must be."""
    full = tuple(tuple(length or 1 for length in shape) for shape in shapes)
    if next(layer.children(), None):
        return UNKNOWN
    small = tuple(map(reduced, full))
    smallest = tuple((min(shape[0], CHANNELS), *shape[1:]) for shape in small)
    for tried in dict.fromkeys((smallest, small, full)):
        # Somebody's layer may want other numbers, and raise whatever it likes.
        with contextlib.suppress(Exception):
            if numbers(layer, tried) > MOST_NUMBERS:
                continue
            answer = run(layer, tried, kinds, dtype)
            whole, part = layer.output_shape(*full), layer.output_shape(*tried)
            larger = (count(whole) or 1) / (count(part) or 1)
            return answer._replace(others=round(answer.others * larger))
    return UNKNOWN


def numbers(layer: Layer, shapes: Sizes) -> int:
    """Return how many numbers a layer of these input shapes takes, gives and holds."""
    weights = layer.parameter_shapes(*shapes).values()
    return sum(count(shape) or 0 for shape in (*shapes, layer.output_shape(*shapes), *weights))


def run(
    layer: Layer, shapes: Sizes, kinds: tuple[Kind | None, ...], dtype: torch.dtype
) -> Retained:
    """Run a twin of a layer and see what it keeps."""
    with (
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
        torch.device("cpu"),
    ):
        twin = twin_of(layer, shapes).to(dtype)
        few, more = (Run(twin, examples(shapes, kinds, dtype, n)) for n in (FEW, MORE))
        test = Run(twin.eval(), examples(shapes, kinds, dtype, FEW))
    others = more.others - few.others
    return Retained(few.keeps_inputs, few.keeps_output, others, few.view, test.view)


def reduced(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape of the same kind with few numbers; sequences are left as they are."""
    first, *rest = shape
    if not rest:
        return (min(first, VECTOR),)
    return (
        (first, *(min(length, PICTURE) for length in rest)) if len(rest) > 1 else (first, *rest)
    )


def twin_of(layer: Layer, shapes: Sizes) -> Layer:
    """Return a new layer like another one, with weights of zero for other shapes."""
    args, kwargs = copy.deepcopy(layer.__dict__["_call"])
    twin = type(layer)(*args, **kwargs)
    twin.initializers.clear()
    twin.build(*shapes)
    for name, parameter in layer.named_parameters():
        twin.get_parameter(name).requires_grad_(parameter.requires_grad)
    return twin


def examples(
    shapes: Sizes,
    kinds: tuple[Kind | None, ...],
    dtype: torch.dtype,
    n: int,
) -> list[Tensor]:
    """Return n samples of zeros for each input."""
    return [
        torch.zeros(n, *shape, dtype=torch.int64)
        if kind == "int"
        # A copy is no leaf, so that layers may work in place.
        else torch.zeros(n, *shape, dtype=dtype, requires_grad=True).clone()
        for shape, kind in zip(shapes, kinds, strict=True)
    ]


class Run:
    """One forward pass, and what it saved for the backward pass.

    Args:
        layer: What is run.
        inputs: What it takes.
    """

    def __init__(self, layer: Layer, inputs: list[Tensor]) -> None:
        saved: list[Tensor] = []
        with saved_tensors_hooks(saved.append, lambda packed: packed):
            output = layer(*inputs)
        # Tensors are told apart by where they are stored: views of one have one place.
        kept = {place(tensor): tensor for tensor in saved}
        entered, own = places(inputs), places((*layer.parameters(), *layer.buffers()))
        self.view = place(output) in entered
        self.keeps_inputs = not entered.isdisjoint(kept)
        self.keeps_output = place(output) in kept
        known = own | entered | {place(output)}
        self.others = sum(
            tensor.untyped_storage().nbytes()
            for where, tensor in kept.items()
            if where not in known
        )


def places(tensors: Iterable[Tensor]) -> set[int]:
    """Return where tensors are stored."""
    return set(map(place, tensors))


def place(tensor: Tensor) -> int:
    """Return where a tensor is stored."""
    return tensor.untyped_storage().data_ptr()
