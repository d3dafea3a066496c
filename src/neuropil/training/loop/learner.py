"""Everything that a training changes, and that a checkpoint must therefore hold."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, final

import torch
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from neuropil.core import Network
from neuropil.core.prediction import in_test_mode
from neuropil.training.binding import ONLY, as_module, as_optimizers, as_schedules
from neuropil.training.checkpoints.checkpoint import CheckpointError
from neuropil.training.loop.batches import Placement
from neuropil.training.losses.class_axis import classes_first
from neuropil.training.losses.score_views import Views
from neuropil.training.processes import choose_device, join_processes
from neuropil.training.randomness import Randomness
from neuropil.training.weight_average import WeightAverage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor, nn
    from torch.optim import Optimizer

    from neuropil.training.trainer_options import Options


@final
class Learner:
    """Networks, optimisers, schedules, the average of the weights, random states.

    Args:
        options: The trainer's.

    Attributes:
        module: The network, or all networks as one module.
        optimizers: What moves its weights, by name.
        device: Where it is.
        processes: Who trains it.
        randomness: The random states.
        custom: Whether the step is the user's own.
    """

    def __init__(self, options: Options) -> None:
        self.custom = options.step is not None
        self.module = as_module(options.network, custom=self.custom)
        self.device = choose_device(options.device, self.module)
        self.processes = join_processes(self.device)
        self.module.to(self.device)
        self.optimizers = as_optimizers(options.optimizer, self.module)
        for each in self.optimizers.values():
            if each.state:  # it follows the weights to their device
                each.load_state_dict(each.state_dict())
        self.randomness = Randomness(options.seed, self.device, self.processes)
        self.schedules: dict[str, tuple[LRScheduler, str]] = {}
        self.average: WeightAverage | None = None
        self.scaler: torch.amp.GradScaler | None = None
        # CPU threads that suit the network and the batch.
        self.threads: int | None = None
        # What the data shuffles itself with, such as a DataLoader's generator.
        self.data_generator: Generator | None = None

    @property
    def scores(self) -> nn.Module:
        """The network up to its scores, which losses take; all parameters are shared."""
        return classes_first(self.module) if isinstance(self.module, Network) else self.module

    @property
    def views(self) -> Views:
        """What turns the scores into what losses and metrics take."""
        return Views(self.module)

    @property
    def parameters(self) -> list[Tensor]:
        """All parameters, those that only the optimisers know among them."""
        groups = (g for a in self.optimizers.values() for g in a.param_groups)
        known = [*self.module.parameters(), *(p for g in groups for p in g["params"])]
        return list({id(p): p for p in known}.values())

    @property
    def float_type(self) -> torch.dtype:
        """The floating-point type that the network computes in."""
        types = (p.dtype for p in self.module.parameters() if p.is_floating_point())
        return next(types, torch.get_default_dtype())

    @property
    def placement(self) -> Placement:
        """Where batches go; our own networks convert bytes themselves, custom steps too."""
        own = self.custom or isinstance(self.module, Network)
        dtype = None if own else self.float_type
        return Placement(self.device, dtype, self.processes.rank, self.processes.count)

    def sample(self, inputs: Any) -> tuple[Tensor, ...]:
        """Return the first two examples as the network takes them, for shapes and costs."""
        place = self.placement
        columns = inputs if isinstance(inputs, tuple) else (inputs,)
        heads = (column[:2] for column in columns)
        # The digits of the inputs do not matter here.
        heads = (h.to(self.float_type) if h.dtype == torch.float64 else h for h in heads)
        return tuple(place.cast(place.move(head)) for head in heads)

    def sample_scores(self, inputs: Any) -> Any:
        """Return the scores of the first examples; no random state and no weight changes."""
        sample = self.sample(inputs)
        with in_test_mode(self.module), torch.no_grad(), torch.random.fork_rng(devices=[]):
            return self.scores(*sample)

    def begin(self, options: Options, batches: int | None, epochs: int) -> None:
        """Make what the first fit makes: the scale of half precision, the average, schedules.

        Args:
            options: The trainer's.
            batches: Batches in an epoch, where that is known.
            epochs: Passes over the data.
        """
        self.scaler = self.scaler or options.scaler(self.device)
        if self.average is not None:
            self.average.take_back()
        elif options.ema is not None:
            self.average = WeightAverage(self.module, options.ema)
        if not self.schedules or isinstance(options.schedule, str):
            steps = None if batches is None else epochs * -(-batches // options.accumulate)
            self.schedules = as_schedules(options.schedule, self.optimizers, steps, epochs)

    def rates(self) -> dict[str, float]:
        """Return the learning rates, for the history."""
        rates = {
            name: float(optimizer.param_groups[0]["lr"])
            for name, optimizer in self.optimizers.items()
            if "lr" in optimizer.param_groups[0]
        }
        return {"lr" if name == ONLY else f"lr_{name}": rate for name, rate in rates.items()}

    def step_schedules(self, interval: str, figure: float | None) -> None:
        """Let the schedules of an interval take their step.

        Args:
            interval: ``"step"`` or ``"epoch"``.
            figure: What a schedule that waits for a plateau looks at.
        """
        for schedule, own_interval in self.schedules.values():
            if own_interval != interval:
                continue
            if isinstance(schedule, ReduceLROnPlateau):
                if figure is not None:
                    schedule.step(figure)
            else:
                schedule.step()

    # Weights

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Have the averaged weights, where there are any, in the network meanwhile."""
        if self.average is not None:
            self.average.swap()
        try:
            yield
        finally:
            if self.average is not None:
                self.average.swap()

    def final_weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights as they would be if training ended now."""
        with self.averaged():
            return {key: value.clone() for key, value in self.module.state_dict().items()}

    def rest(self) -> None:
        """Leave the network as it is to be used: averaged weights, test mode, no gradients."""
        if self.average is not None and not self.average.swapped:
            self.average.swap()
        self.module.eval()
        for parameter in self.parameters:
            parameter.grad = None

    # States

    def random_state(self) -> dict[str, Any]:
        """Return all random states."""
        return self.randomness.state_dict(self.data_generator)

    def set_random_state(self, state: dict[str, Any]) -> None:
        """Take back what `random_state` gave."""
        self.randomness.load_state_dict(state, self.data_generator)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all but the random states, which differ between processes."""
        return {
            "network": dict(self.module.state_dict()),
            "optimizers": {name: a.state_dict() for name, a in self.optimizers.items()},
            "schedules": {name: s.state_dict() for name, (s, _) in self.schedules.items()},
            "average": None if self.average is None else self.average.state_dict(),
            "scaler": None if self.scaler is None else self.scaler.state_dict(),
            "threads": self.threads,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave.

        Raises:
            CheckpointError: When it belongs to another network, or to other optimisers.
        """
        load_weights(self.module, state["network"])
        self.threads = state["threads"]
        for kind, own in (("optimizers", self.optimizers), ("schedules", self.schedules)):
            if set(own) != set(state[kind]):
                raise CheckpointError(
                    f"the checkpoint holds the {kind} {list(state[kind])}, the trainer has "
                    f"{list(own)}."
                )
        for name, optimizer in self.optimizers.items():
            load_optimizer(optimizer, state["optimizers"][name])
        for name, (schedule, _) in self.schedules.items():
            schedule.load_state_dict(state["schedules"][name])
        for name in ("average", "scaler"):
            own = getattr(self, name)
            if (own is None) != (state[name] is None):
                option = {"average": "ema", "scaler": "mixed_precision"}[name]
                raise CheckpointError(f"the checkpoint was written with another {option}.")
            if own is not None:
                own.load_state_dict(state[name])


def load_weights(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Put weights into a network.

    Raises:
        CheckpointError: When they are another network's.
    """
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).split("\n", 1)[-1].strip()
        raise CheckpointError(f"the checkpoint is of another network: {reason}") from None


def load_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Put an optimiser back where it was.

    Raises:
        CheckpointError: When the state is another optimiser's.
    """
    try:
        optimizer.load_state_dict(state)
    except (ValueError, KeyError) as error:
        name = type(optimizer).__name__
        raise CheckpointError(f"the checkpoint does not fit {name}: {error}") from None
