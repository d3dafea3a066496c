"""Health of a network's gradients, from one forward and backward pass of a batch."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from typing_extensions import override

from neuropil.analysis.health.batch_loss import default_loss, from_log_probabilities, takes_of
from neuropil.analysis.health.health_rows import LayerHealth, as_html, as_text, rows_of
from neuropil.analysis.health.health_verdicts import Verdict, verdicts_of
from neuropil.analysis.health.layer_recorder import Recorder
from neuropil.core import Network
from neuropil.core.prediction import as_tensor, in_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@final
@dataclass(frozen=True, slots=True)
class GradientHealth:
    """Figures of one forward and backward pass, layer by layer, and the problems found.

    Attributes:
        rows: One row for each layer that has parameters or is an activation, in the order in
            which they run.
        verdicts: The problems found; empty if there are none.
        loss: Loss on the batch.
        examples: Number of examples in the batch.
    """

    rows: tuple[LayerHealth, ...]
    verdicts: tuple[Verdict, ...]
    loss: float
    examples: int

    @property
    def healthy(self) -> bool:
        """Whether no problem was found."""
        return not self.verdicts

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data, for JSON."""
        return {
            "rows": [row._asdict() for row in self.rows],
            "verdicts": [verdict._asdict() for verdict in self.verdicts],
            "loss": self.loss,
            "examples": self.examples,
        }

    @override
    def __str__(self) -> str:
        return as_text(self.rows, list(map(str, self.verdicts)))

    # The interactive shell shows the table when it is the last expression.
    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.rows, list(map(str, self.verdicts)))


def gradient_health(
    network: nn.Module,
    inputs: Any,
    targets: Any,
    *,
    loss: Callable[[Any, Any], Tensor] | None = None,
) -> GradientHealth:
    r"""Run a batch forward and back once, and report the gradients and outputs of each layer.

    For a layer with n trainable weights w and the gradient g = ∂L/∂w of the mean loss L

        gradient = ‖g‖ / √n,  weight = ‖w‖ / √n,  relative = ‖g‖ / ‖w‖

    and for its outputs y over the batch their mean and standard deviation. For activations
    also the number of *dead* units, which are 0 for every example and position, and the share
    of *saturated* outputs, which are beyond 97 % of the way to an end of a bounded range.

    A verdict names a problem:

    - *not finite*: a layer's outputs or gradient contain NaN or infinity;
    - *vanishing*: the gradients of the first layers up to this one are all less than 10⁻⁵ of
      the largest;
    - *exploding*: ‖g‖ > 30 ‖w‖ over the whole network, or a layer's outputs are more than
      10⁴ times as large as the first layer's;
    - *dead*: at least half the units of an activation are dead;
    - *saturated*: at least half the outputs of an activation are saturated;
    - *unused*: the loss does not depend on a layer's weights.

    The network runs in training mode. Its weights, gradients, running statistics and modes,
    and the random states, are restored afterwards. Activations that are called as functions,
    not as modules, are not recorded.

    Args:
        network: A network, or any PyTorch module.
        inputs: A batch as the network takes it, a tuple for several inputs. Telling dead units
            from rarely active ones needs at least 32 examples, or positions in them.
        targets: Targets that the loss compares with the outputs.
        loss: A function of outputs and targets that returns one value, or one per example. It
            gets the predictions of a `Network`, or its scores if it is one of torch's losses
            of scores or has the attribute ``takes = "scores"``. By default the cross entropy
            of the scores for integer targets, and the squared error for others.

    Raises:
        TypeError: When `loss` is not a function.
        ValueError: When the loss is complex or depends on no trainable weight, the default
            loss does not fit the outputs, or the batch is empty.
        ShapeError: When the network does not start with an `Input`.

    Reference:
        Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", 2010, which plots these figures of activations and gradients by layer.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> _ = torch.manual_seed(0)
        >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        >>> x, y = torch.randn(64, 4), torch.randn(64, 1)
        >>> gradient_health(network, x, y).healthy
        True
        >>> _ = nn.init.constant_(network[0].bias, -10.0)
        >>> print(*gradient_health(network, x, y).verdicts, sep="\n")
        no gradient reaches 0 (Linear)
        1 (ReLU): none of its 8 units fires on any of these 64 examples
    """
    if loss is not None and not callable(loss):
        raise TypeError(
            f"gradient_health: loss must be a function of outputs and targets, got {loss!r}."
        )
    wants = takes_of(loss, as_tensor(targets))
    if isinstance(network, Network):
        network.require_built()
        network = network if wants == "values" else network.scores()
    place = next(network.parameters(), torch.empty(0))
    if place.is_meta:
        raise ValueError(
            "gradient_health: the weights are on the meta device and hold no data."
        )
    batch = [to_network(v, place) for v in (inputs if isinstance(inputs, tuple) else (inputs,))]
    if not batch or not batch[0].ndim or not len(batch[0]):
        raise ValueError("gradient_health: inputs must hold at least one example, got none.")
    wanted = to_network(targets, place)
    measure = from_log_probabilities(loss) if wants == "log_probabilities" else loss
    measure = default_loss if measure is None else measure
    with in_mode(network, training=True):
        return run_health(
            network, lambda: measure(network(*batch), wanted).mean(), len(batch[0])
        )


def run_health(
    network: nn.Module, closure: Callable[[], Tensor], examples: int
) -> GradientHealth:
    """Return the health of a network in its current mode.

    Args:
        network: The network.
        closure: Function that runs the network and returns the loss.
        examples: Number of examples it runs on.

    Raises:
        ValueError: When the loss is complex or depends on no trainable weight.
    """
    trained = [p for p in network.parameters() if p.requires_grad]
    recorder = Recorder(network)
    with (
        recorder,
        restore_state(network),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
    ):
        loss = closure()
        if not trained or not loss.requires_grad:
            raise ValueError(
                "gradient_health: the loss does not depend on any trainable weight: is every "
                "parameter frozen?"
            )
        if loss.is_complex():
            raise ValueError(
                "gradient_health: the loss is complex: use a real one, such as the square of "
                "its absolute value."
            )
        found = torch.autograd.grad(loss, trained, allow_unused=True)
    gradients = {id(p): g for p, g in zip(trained, found, strict=True)}
    rows = rows_of(recorder, gradients)
    value = float(loss.detach())
    return GradientHealth(rows, tuple(verdicts_of(rows, value, examples)), value, examples)


def to_network(value: Any, place: Tensor) -> Tensor:
    """Return a tensor on the network's device; floating-point data are cast to its type."""
    tensor = as_tensor(value)
    cast = tensor.is_floating_point() and place.is_floating_point()
    return tensor.to(place.device, place.dtype if cast else tensor.dtype)


@contextlib.contextmanager
def restore_state(network: nn.Module) -> Iterator[None]:
    """Restore buffers, such as running statistics, and the random states afterwards."""
    buffers: Sequence[Tensor] = list(network.buffers())
    before = [buffer.clone() for buffer in buffers]
    devices = {p.device for p in network.parameters() if p.device.type != "cpu"}
    kind = next(iter(devices)).type if devices else "cuda"
    with torch.random.fork_rng(devices=list(devices), device_type=kind):
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, old in zip(buffers, before, strict=True):
                    buffer.copy_(old)
