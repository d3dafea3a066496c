"""The state that a training changes, and that a checkpoint must therefore contain."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, final

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from neuropil.core import Network
from neuropil.core.prediction import in_test_mode
from neuropil.training.binding import ONLY, as_module, as_optimizers, as_schedules
from neuropil.training.checkpoints.checkpoint import CheckpointError
from neuropil.training.checkpoints.sharded_states import spread, spread_optimizer
from neuropil.training.loop.batches import Placement
from neuropil.training.losses.class_axis import classes_first
from neuropil.training.losses.score_views import Views
from neuropil.training.parallel.device_choice import choose_device
from neuropil.training.parallel.shard_options import check_optimizer, check_sharding, rebind
from neuropil.training.processes import join_processes
from neuropil.training.randomness import Randomness
from neuropil.training.weight_average import WeightAverage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor, nn

    from neuropil.training.parallel.sharded_network import ShardedNetwork
    from neuropil.training.trainer_options import Options


@final
class Learner:
    """Networks, optimisers, schedules, weight average and random states of a training.

    Args:
        options: The options of the trainer.

    Attributes:
        module: The network, or all networks as one module.
        optimizers: The optimisers by name.
        device: Device of the network.
        processes: The processes that train it together.
        randomness: The random states.
        sharded: The sharded network, if the weights are sharded over the processes.
        custom: Whether the step is a custom one.
    """

    def __init__(self, options: Options) -> None:
        self.custom = options.step is not None
        self.module = as_module(options.network, custom=self.custom)
        self.device = choose_device(options.device, self.module)
        self.processes = join_processes()
        self.sharded: ShardedNetwork | None = None
        if options.shard:
            self.shard(options)
        else:
            self.module.to(self.device)
        self.optimizers = as_optimizers(options.optimizer, self.module)
        for each in self.optimizers.values():
            if options.shard:
                check_optimizer(each)
            if each.state:  # move it to the device of the weights
                each.load_state_dict(each.state_dict())
        self.randomness = Randomness(options.seed, self.device, self.processes)
        self.schedules: dict[str, tuple[LRScheduler, str]] = {}
        self.average: WeightAverage | None = None
        self.scaler: torch.amp.GradScaler | None = None
        # Number of CPU threads chosen for the network and the batch.
        self.threads: int | None = None
        # The generator that the data shuffles with, such as that of a DataLoader.
        self.data_generator: Generator | None = None

    def shard(self, options: Options) -> None:
        """Shard the weights over the processes."""
        from neuropil.training.parallel.sharded_network import shard_network

        check_sharding(options, self.processes)
        seed = self.processes.share(
            torch.initial_seed() if options.seed is None else options.seed
        )
        names = {id(p): name for name, p in self.module.named_parameters()}
        generator = torch.Generator().manual_seed(seed)
        self.sharded = shard_network(self.module, self.scores, self.device, generator)
        if isinstance(options.optimizer, Optimizer):
            rebind(options.optimizer, names, self.module)

    @property
    def scores(self) -> nn.Module:
        """The network up to its scores, which losses take; it shares all parameters."""
        if self.sharded is not None:
            return self.sharded.scores
        return classes_first(self.module) if isinstance(self.module, Network) else self.module

    @property
    def views(self) -> Views:
        """The conversions from scores to the inputs of losses and metrics."""
        return Views(self.module)

    @property
    def parameters(self) -> list[Tensor]:
        """All parameters of the network and the optimisers, each once."""
        groups = (g for a in self.optimizers.values() for g in a.param_groups)
        known = [*self.module.parameters(), *(p for g in groups for p in g["params"])]
        return list({id(p): p for p in known}.values())

    @property
    def float_type(self) -> torch.dtype:
        """The floating-point type of the network."""
        types = (p.dtype for p in self.module.parameters() if p.is_floating_point())
        return next(types, torch.get_default_dtype())

    @property
    def placement(self) -> Placement:
        """The placement of batches; a `Network` or a custom step converts bytes itself."""
        own = self.custom or isinstance(self.module, Network)
        dtype = None if own else self.float_type
        return Placement(self.device, dtype, self.processes.rank, self.processes.count)

    def sample(self, inputs: Any) -> tuple[Tensor, ...]:
        """Return the first two examples, on the device, to determine shapes and costs."""
        place = self.placement
        columns = inputs if isinstance(inputs, tuple) else (inputs,)
        heads = (column[:2] for column in columns)
        # The precision of the inputs does not matter here.
        heads = (h.to(self.float_type) if h.dtype == torch.float64 else h for h in heads)
        return tuple(place.cast(place.move(head)) for head in heads)

    def sample_scores(self, inputs: Any) -> Any:
        """Return the scores of the first examples, without changing any state."""
        sample = self.sample(inputs)
        with in_test_mode(self.module), torch.no_grad(), torch.random.fork_rng(devices=[]):
            return self.scores(*sample)

    def begin(self, options: Options, batches: int | None, epochs: int) -> None:
        """Create the gradient scaler, the weight average and the schedules for a fit.

        Args:
            options: The options of the trainer.
            batches: Number of batches in an epoch, None if unknown.
            epochs: Number of passes over the data.
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
        """Return the learning rates by history column."""
        rates = {
            name: float(optimizer.param_groups[0]["lr"])
            for name, optimizer in self.optimizers.items()
            if "lr" in optimizer.param_groups[0]
        }
        return {"lr" if name == ONLY else f"lr_{name}": rate for name, rate in rates.items()}

    def step_schedules(self, interval: str, figure: float | None) -> None:
        """Advance the schedules of an interval.

        Args:
            interval: ``"step"`` or ``"epoch"``.
            figure: The figure that `ReduceLROnPlateau` monitors.
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
    def averaged_weights(self) -> Iterator[None]:
        """Use the averaged weights, if there are any, inside the context."""
        if self.average is not None:
            self.average.swap()
        try:
            yield
        finally:
            if self.average is not None:
                self.average.swap()

    def final_weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights that the network would have if training ended now."""
        with self.averaged_weights():
            return {key: value.clone() for key, value in self.module.state_dict().items()}

    def finish(self) -> None:
        """Prepare the network for use: averaged weights, evaluation mode, no gradients."""
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
        """Restore the state that `random_state` returned."""
        self.randomness.load_state_dict(state, self.data_generator)

    def state_dict(self) -> dict[str, Any]:
        """Return the state without the random states, which differ between processes."""
        return {
            "network": dict(self.module.state_dict()),
            "optimizers": {name: a.state_dict() for name, a in self.optimizers.items()},
            "schedules": {name: s.state_dict() for name, (s, _) in self.schedules.items()},
            "average": None if self.average is None else self.average.state_dict(),
            "scaler": None if self.scaler is None else self.scaler.state_dict(),
            "threads": self.threads,
        }

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Load weights into the network, whole ones or sharded ones.

        Raises:
            CheckpointError: If they belong to another network.
        """
        if self.sharded is not None:
            weights = spread(weights, self.module.state_dict(), self.sharded.mesh)
        load_weights(self.module, weights)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned.

        Raises:
            CheckpointError: If it belongs to another network or to other optimisers.
        """
        self.load_weights(state["network"])
        self.threads = state["threads"]
        for kind, own in (("optimizers", self.optimizers), ("schedules", self.schedules)):
            if set(own) != set(state[kind]):
                raise CheckpointError(
                    f"the checkpoint contains the {kind} {list(state[kind])}, but the trainer "
                    f"has {list(own)}."
                )
        for name, optimizer in self.optimizers.items():
            load_optimizer(optimizer, state["optimizers"][name], self.sharded)
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
    """Load weights into a network.

    Raises:
        CheckpointError: If they belong to another network.
    """
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).split("\n", 1)[-1].strip()
        raise CheckpointError(f"the checkpoint is of another network: {reason}") from None


def load_optimizer(
    optimizer: Optimizer, state: dict[str, Any], sharded: ShardedNetwork | None
) -> None:
    """Load the state of an optimiser.

    Raises:
        CheckpointError: If the state belongs to another optimiser.
    """
    try:
        if sharded is not None:
            state = spread_optimizer(state, optimizer, sharded.mesh)
        optimizer.load_state_dict(state)
    except (ValueError, KeyError) as error:
        name = type(optimizer).__name__
        raise CheckpointError(f"the checkpoint does not fit {name}: {error}") from None
