"""The tensors that a call of a layer needs, found by running one copy of each kind of layer."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from neuropil.analysis.cost.parameters import parameters_in
from neuropil.analysis.traced.runs.example_inputs import Inputs
from neuropil.analysis.traced.runs.meta_copy import meta_replica
from neuropil.analysis.traced.runs.module_run import run_replica
from neuropil.analysis.traced.runs.training_memory import TrainingStep
from neuropil.core import Layer, Network
from neuropil.core.generated_forward import LISTENERS

if TYPE_CHECKING:
    from neuropil.core import Shape

MOST_ANSWERS = 4096


class Operand(NamedTuple):
    """One input of a layer.

    Args:
        shape: Shape without the batch, with every length known.
        dtype: Type.
        needs_gradient: Whether a gradient flows back through it. PyTorch saves nothing for
            values that depend only on the network's input.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    needs_gradient: bool


class LayerMemory(NamedTuple):
    """The tensors that a call of a layer needs for one sample.

    Args:
        saves_inputs: Whether its backward pass needs its inputs, as a convolution's does.
        saves_output: Whether its backward pass needs its output, as that of ReLU, sigmoid or
            softmax does.
        others: Bytes of the other tensors that its backward pass needs: indices of maxima, the
            mask of dropout, mean and deviation of a normalisation.
        is_view: Whether its output is a view of its input, which takes no memory.
        is_test_view: `is_view` in evaluation mode, in which dropout is the identity.
        temporaries: Peak bytes of the other tensors alive while it runs in evaluation mode.
        surplus: Bytes by which the storage of its output exceeds the output, for example where
            the last step of a sequence is a view of all steps.
        needs_gradient: Whether a gradient flows back through its output.
    """

    saves_inputs: bool
    saves_output: bool
    others: int = 0
    is_view: bool = False
    is_test_view: bool = False
    temporaries: int = 0
    surplus: int = 0
    needs_gradient: bool = True


# Tensors that the backward pass of common operations needs, and that PyTorch therefore saves:
#   convolution, product of matrices   input and weight: ∂L/∂w = xᵀ·g, ∂L/∂x = g·wᵀ
#   ReLU, sigmoid, tanh, softmax       output: 1[y > 0], y·(1 − y), 1 − y², diag(y) − y·yᵀ
#   GELU, SiLU, softplus               input
#   batch normalisation                input, mean and 1/σ of the batch
#   max pooling                        input, and the index of each maximum in 8 bytes
#   dropout                            mask
#   product of two tensors             both; a sum none, a mean none
# No table is coded: a copy of the layer is run, which follows every version of PyTorch.

# For a layer whose copy fails: the needs of most layers, or more.
UNKNOWN = LayerMemory(saves_inputs=True, saves_output=True)

answers: dict[tuple[Any, ...], LayerMemory] = {}


def layer_memory(layer: Layer, operands: tuple[Operand, ...]) -> LayerMemory:
    """Return the tensors that a call of a layer needs.

    Args:
        layer: The layer. It is neither run nor changed.
        operands: Its inputs.
    """
    # Read the dictionaries directly: filling in defaults and walking modules takes ten times as
    # long, and this function runs for every call.
    own = vars(layer)
    if own["_modules"] and not all(isinstance(p, Layer | Network) for p in layer.modules()):
        return run_copy(layer, operands)  # the options do not describe a plain PyTorch part
    parameters = parameters_in(layer)
    args, kwargs = own["_call"]
    options = [*args, *(value for name, value in kwargs.items() if name != "name")]
    kind = (
        type(layer),
        tuple(kwargs),
        tuple(map(without_size, options)),
        tuple(p is not None and p.requires_grad for p in parameters),
        tuple(b is not None and b.dtype for b in own["_buffers"].values()),
        tuple(operand[1:] for operand in operands),
    )
    if kind in answers:
        return answers[kind]
    exact = (kind, repr(options), operands)
    if exact not in answers:
        if len(answers) > MOST_ANSWERS:
            answers.clear()
        answers[exact] = found = run_copy(layer, operands)
        # Only bytes depend on sizes. But padding given as a word, or different at both ends,
        # needs a padded copy for some sizes and not for others.
        sized = found.others or found.temporaries or found.surplus or found is UNKNOWN
        if not (sized or any(isinstance(o, str | tuple) for o in options) or own["_modules"]):
            answers[kind] = found
    return answers[exact]


def without_size(option: object) -> object:
    """Return an option, or only its type if it is a number of units, filters or pixels."""
    plain = option is None or isinstance(option, str | bool | float)
    return option if plain else type(option)


def run_copy(layer: Layer, operands: tuple[Operand, ...]) -> LayerMemory:
    """Run a copy of a layer on the meta device and return its memory needs."""
    # A user's layer may raise anything.
    try:
        with torch.inference_mode(mode=False), torch.enable_grad():
            replica = replica_of(layer, tuple(operand.shape for operand in operands))
            return measure(replica, operands)
    except Exception:  # noqa: BLE001, RUF100
        return UNKNOWN


def measure(replica: Layer, operands: tuple[Operand, ...]) -> LayerMemory:
    """Run a copy in evaluation and in training mode, and return its memory needs."""
    inputs = batch(operands, 1)
    try:
        trained = SavedTensors(replica, inputs)
        others = trained.others
    except Exception:  # noqa: BLE001, RUF100 - layers raise anything
        # Some normalisations need more than one sample. The saved bytes are affine in the batch
        # size, so f(1) = 2·f(2) − f(3).
        trained, more = (SavedTensors(replica, batch(operands, n)) for n in (2, 3))
        others = 2 * trained.others - more.others
    test = run_replica(replica, replica, inputs, ())
    (output,) = test.results
    is_view = output.storage < len(operands)
    taken = sum(tensor.nbytes for tensor in inputs.tensors)
    held = 0 if is_view else test.calls[0].output_bytes
    return LayerMemory(
        trained.saves_inputs,
        trained.saves_output,
        others,
        trained.is_view,
        is_view,
        temporaries=test.peak - taken - held,
        surplus=0 if is_view else held - trained.output_bytes,
        needs_gradient=trained.needs_gradient,
    )


class SavedTensors:
    """Tensors that one forward pass in training mode saves for the backward pass.

    Args:
        replica: The copy to run.
        inputs: Its inputs.
    """

    def __init__(self, replica: Layer, inputs: Inputs) -> None:
        step = TrainingStep(replica, inputs, replica)
        given = range(len(step.inputs.tensors))
        outputs, saved = step.forward_saving()
        number = step.tracer.allocator.number(outputs[0])
        self.is_view = number in given
        self.saves_inputs = any(place in saved for place in given)
        self.saves_output = number in saved
        self.others = sum(
            size for place, size in saved.items() if place not in given and place != number
        )
        self.needs_gradient = outputs[0].requires_grad
        self.output_bytes = outputs[0].nbytes // len(outputs[0])


def batch(operands: tuple[Operand, ...], n: int) -> Inputs:
    """Return n samples on the meta device."""
    tensors = [
        torch.empty((n, *shape), dtype=dtype, device="meta", requires_grad=needs_gradient)
        for shape, dtype, needs_gradient in operands
    ]
    return Inputs(tuple(tensors), {}, made=True)


def replica_of(layer: Layer, shapes: tuple[Shape, ...]) -> Layer:
    """Return a copy of a layer on the meta device, built for these shapes if necessary."""
    if layer.built_for is not None:
        replica = meta_replica(layer)
        for part in replica.modules():
            vars(part).update({name: OrderedDict() for name in LISTENERS})
        return replica  # pyright: ignore[reportReturnType]  # a copy is of the same class
    args, kwargs = copy.deepcopy(layer.__dict__["_call"])
    with torch.device("meta"):
        replica = type(layer)(*args, **kwargs)
        replica.initializers.clear()
        replica.build(*shapes)
    return replica
