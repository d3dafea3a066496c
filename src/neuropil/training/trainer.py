"""The trainer: one `fit` for every kind of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn

from neuropil.core.shape import whole_number
from neuropil.training.binding import ONLY, OptimizerLike, Schedule, as_module, as_optimizers
from neuropil.training.checkpoints.checkpoint import CheckpointError, Checkpoints
from neuropil.training.history import History
from neuropil.training.loop.custom_step import CustomUpdate
from neuropil.training.loop.learner import Learner, load_weights
from neuropil.training.loop.setup import evaluate, run_fit
from neuropil.training.losses import losses
from neuropil.training.metrics import metrics as known_metrics
from neuropil.training.processes import choose_device, join_processes
from neuropil.training.progress import Progress, as_progress
from neuropil.training.randomness import Randomness
from neuropil.training.trainer_options import Options

if TYPE_CHECKING:
    from os import PathLike

    from torch.optim import Optimizer

    from neuropil.training.callbacks import Callback
    from neuropil.training.loop.update import Augment, Update
    from neuropil.training.losses.weighted_loss import ClassWeight, Objective
    from neuropil.training.metrics.metrics import Metric

Step = Callable[["Trainer", Any], dict[str, Tensor]]


@final
class Trainer:
    """Train a network, or several, and go on exactly where a training was interrupted.

    Each step moves the weights w against the gradient of the objective

        J(w) = (1/N) Σᵢ loss(network(xᵢ; w), yᵢ) + penalty(w)

    over a batch of N examples. `fit` shuffles the examples, cuts them into batches, validates
    after each epoch and writes down the figures. All that a training depends on is in its
    checkpoints, so one that was killed at any step and resumed ends, on the CPU, with the same
    bits as one that ran through.

    **Scores and values.** What a loss or metric takes is part of its definition. The cross
    entropies, the hinge, the divergence and the metrics of classes take the network's *scores*:
    what it gives before a last `Softmax` or `Sigmoid`, so no precision is lost. All others take
    the *values* that `predict` gives: errors between numbers, R², and a function of the user's,
    unless it has an attribute ``takes = "scores"``. Torch's own losses are known:
    ``CrossEntropyLoss``, ``BCEWithLogitsLoss`` and their kin take scores, ``NLLLoss`` and
    ``KLDivLoss`` logarithms of probabilities. Without a `loss`, the last layer decides, or else
    the targets: integers are classes (cross entropy), floating-point numbers are to be met
    (squared error).

    **Final weights.** After `fit` the network is in evaluation mode. With `ema` it holds the
    averaged weights, and a further `fit` goes on from the trained ones; with a `BestWeights`
    callback it holds those of the best epoch.

    **Custom training.** `step` replaces the usual step. It returns scalars by name, whose means
    appear in the history; the one called ``loss`` is minimised, or it calls
    ``trainer.minimize(loss, name)`` as often as it needs, as adversarial training does with two
    networks and two optimisers. In validation the same step is called without gradients and
    `minimize` does nothing.

    **Several processes.** Under ``torchrun`` each process takes its part of every batch, and
    together they do what one process does with the whole batch. Every process needs the same
    data and the same arguments; the first one writes and shows progress.

    Args:
        network: A network, any ``nn.Module``, or a dict of them for a custom `step`.
        loss: A loss's name (see `neuropil.training.losses.losses`), one of torch's losses, or a
            function of outputs and targets that gives one value per example.
        optimizer: An optimiser bound to the network's parameters, a function that binds one, or
            a name; Adam by default. A dict of them for a custom `step`. One that evaluates the
            loss several times in a step sees the same dropout and augmentation each time, and
            ends the training where a step on all examples would change nothing any more.
        metrics: Names (see `neuropil.training.metrics`), metrics, or functions of outputs and
            targets that give one value per example.
        regularizer: ``l1(…)``, ``l2(…)``, ``maxnorm(…)`` or a sum of these: a penalty on the
            weights, or a projection after each step.
        schedule: How the learning rate moves: a name such as ``"cosine"``, stretched over the
            whole fit; a function of the optimiser that gives a torch scheduler; or a scheduler.
            It moves with each step or epoch, as its ``interval`` says.
        step: ``step(trainer, batch)`` in place of the usual step.
        callbacks: `Callback` objects, told of each step and epoch in this order.
        class_weight: One weight per class for its examples' loss, or ``"balanced"`` for weights
            in inverse proportion to the classes' frequencies.
        augment: ``augment(inputs, targets, generator)`` gives the inputs and targets to learn
            from in their place, for each training batch, on the device.
        normalize: Whether to set the mean and scale of the network's inputs from the training
            examples, where they are not set yet.
        seed: Makes a training repeatable: the order of the examples, augmentation and dropout
            follow from it, and the program's own random states are left alone. None draws on
            torch's global generator.
        device: Where to train: ``"cpu"``, ``"cuda"``, ``"auto"`` for an accelerator if there is
            one. None stays where the network is.
        threads: CPU threads. ``"auto"`` follows from the network and the batch: one thread per
            10 million multiply–adds in the mean layer of a step, at most as many as torch has;
            a resumed training keeps their number. None leaves torch's setting.
        accumulate: Batches whose gradients are added up for one step; every example counts the
            same, in a smaller last group too.
        clip_norm: Gradients whose norm over all weights exceeds this are scaled down to it.
        ema: Decay of an exponential moving average of the weights, such as 0.999, which
            validation uses and the network keeps.
        mixed_precision: ``"bf16"`` or ``"fp16"``: run most layers in half precision.
        compile: Whether to compile the network with ``torch.compile``.
        checkpoints: A folder that always holds a whole state of the training.
        checkpoint_every: Steps between two checkpoints; by default one is written every 30 s
            and after each epoch, but never so often that it costs more than 5 % of the time.
        progress: Whether to show progress on standard error, or a `Progress` that shows it.

    Raises:
        ValueError: When an option is out of its range.
        TypeError: When a network, optimiser or callback is no such thing.

    Attributes:
        network: What was given.
        optimizer: The optimiser, or the dict of them.
        history: The figures of all epochs, a `History`.
        epoch: Epochs done.
        steps: Steps done.
        metrics: The metrics.
        stop_reason: Why the last fit ended before its last epoch; empty if it did not.

    Example:
        >>> import torch
        >>> from neuropil.optim import GradientDescent
        >>> from neuropil.training import Trainer
        >>> x = torch.linspace(-1, 1, 64).reshape(-1, 1)
        >>> y = 3 * x + 0.5
        >>> line = torch.nn.Linear(1, 1)
        >>> trainer = Trainer(
        ...     line,
        ...     loss="squared_error",
        ...     optimizer=GradientDescent(line.parameters(), lr=0.1),
        ...     metrics=["r2"],
        ...     seed=0,
        ...     progress=False,
        ... )
        >>> history = trainer.fit((x, y), validation=(x, y), epochs=40, batch_size=8)
        >>> print(f"{line.weight.item():.2f} x + {line.bias.item():.2f}")
        3.00 x + 0.50
        >>> history.columns
        ['epoch', 'steps', 'loss', 'r2', 'validation_loss', 'validation_r2', 'lr', 'seconds']
        >>> trainer.evaluate((x, y))["r2"] > 0.999
        True

        Two networks that work against each other, with a step of their own:

        >>> def adversarial(trainer, real):
        ...     maker, critic = trainer.network["maker"], trainer.network["critic"]
        ...     made = maker(torch.randn(len(real), 2))
        ...     fooled = critic(made.detach()).mean() - critic(real).mean()
        ...     trainer.minimize(fooled, "critic")
        ...     trainer.minimize(-critic(made).mean(), "maker")
        ...     return {"distance": -fooled}
        >>> networks = {"maker": torch.nn.Linear(2, 1), "critic": torch.nn.Linear(1, 1)}
        >>> optimizers = {k: torch.optim.SGD(n.parameters(), 0.01) for k, n in networks.items()}
        >>> trainer = Trainer(networks, optimizer=optimizers, step=adversarial, progress=False)
        >>> trainer.fit(x, epochs=2).columns
        ['epoch', 'steps', 'distance', 'lr_maker', 'lr_critic', 'seconds']
    """

    def __init__(
        self,
        network: nn.Module | Mapping[str, nn.Module],
        *,
        loss: str | Callable[..., Any] | None = None,
        optimizer: OptimizerLike | Mapping[str, Optimizer] = None,
        metrics: Sequence[str | Callable[..., Any]] = (),
        regularizer: Any = None,
        schedule: Schedule | Mapping[str, Any] = None,
        step: Step | None = None,
        callbacks: Sequence[Callback] = (),
        class_weight: ClassWeight = None,
        augment: Augment | None = None,
        normalize: bool = True,
        seed: int | None = None,
        device: str | torch.device | None = None,
        threads: int | str | None = "auto",
        accumulate: int = 1,
        clip_norm: float | None = None,
        ema: float | None = None,
        mixed_precision: str | None = None,
        compile: bool = False,  # noqa: A002 - torch's own word for it
        checkpoints: str | PathLike[str] | None = None,
        checkpoint_every: int | None = None,
        progress: Progress | bool | None = True,
    ) -> None:
        self.options = Options(
            loss=loss,
            metrics=tuple(metrics),
            regularizer=regularizer,
            schedule=schedule,
            step=step,
            callbacks=tuple(callbacks),
            class_weight=class_weight,
            augment=augment,
            normalize=normalize,
            threads=threads,
            accumulate=accumulate,
            clip_norm=clip_norm,
            ema=ema,
            mixed_precision=mixed_precision,
            compile=compile,
            checkpoint_every=checkpoint_every,
        )
        self.network = network
        self.objective: Objective | None = None
        self.metrics = resolved(metrics, loss)
        self.callbacks = list(callbacks)
        self.checkpoints = None if checkpoints is None else Checkpoints(checkpoints)
        self.progress = as_progress(progress)
        self.learner = make_learner(
            as_module(network, custom=step is not None), optimizer, device, seed
        )
        self.history = History()
        self.epoch = self.first_epoch = self.steps = 0
        self.stop_reason = ""
        # Only while `fit` runs; a checkpoint that the next `fit` goes on from.
        self.update: Update | None = None
        self.pending: dict[str, Any] | None = None

    @property
    def optimizer(self) -> Optimizer | dict[str, Optimizer]:
        """The optimiser, or the dict of them."""
        own = self.learner.optimizers
        return own[ONLY] if list(own) == [ONLY] else own

    @property
    def device(self) -> torch.device:
        """Where the network is trained."""
        return self.learner.device

    @property
    def values(self) -> dict[str, Tensor]:
        """What the last batch gave, the loss and other scalars by name; empty outside `fit`."""
        if self.update is None:
            return {}
        return {name: value.detach() for name, value in self.update.parts.values.items()}

    def fit(
        self,
        data: Any,
        validation: Any = None,
        *,
        epochs: int,
        batch_size: int | None = None,
        resume: bool = False,
    ) -> History:
        """Train, and return the history of all epochs so far.

        Args:
            data: ``(inputs, targets)`` as tensors or arrays, the inputs a tuple where the
                network has several; a `Dataset`; or anything that yields such pairs, batch by
                batch, again and again: a ``DataLoader``, a list.
            validation: The same, evaluated after every epoch; None for none.
            epochs: Passes over the data. A second `fit` takes as many again.
            batch_size: Examples in a batch; data that come in batches have their own. A single
                example left over joins the batch before it. None takes 32, or all examples
                for optimisers that want them: those that search along lines or use curvature,
                and RPROP.
            resume: Whether to go on from the latest checkpoint, if there is one: to the end of
                the `epochs` of the interrupted fit. The other arguments must be what they were,
                and `epochs` too where a schedule is given by name, stretched over them.

        Raises:
            ValueError: When data or options cannot be used.
            CheckpointError: When a checkpoint does not fit, or was written with other data or
                options, or the folder holds those of another training.
            NonFiniteError: When the loss becomes NaN or infinite; the last checkpoint stays.
            OSError: When a checkpoint cannot be written; the last one is good.
            KeyboardInterrupt: After SIGINT or SIGTERM, once the step is finished and its state
                is written.
        """
        whole_number(epochs, "epochs")
        if batch_size is not None:
            whole_number(batch_size, "batch_size")
        if resume:
            self.resume()
        run_fit(self, data, validation, epochs, batch_size)
        return self.history

    def evaluate(self, data: Any, *, batch_size: int = 32) -> dict[str, float]:
        """Return the loss and the metrics over some data, in test mode.

        Args:
            data: As for `fit`.
            batch_size: Examples at once, at least; more where they are small.

        Raises:
            ValueError: When the data cannot be used.
        """
        whole_number(batch_size, "batch_size")
        return evaluate(self, data, batch_size, "evaluation")

    def resume(self, folder: str | PathLike[str] | None = None) -> bool:
        """Take up the latest whole checkpoint; the next `fit` finishes what was interrupted.

        Args:
            folder: Where the checkpoints are; by default the trainer's own folder.

        Returns:
            Whether there was one.

        Raises:
            CheckpointError: When there is no folder, no whole file in it, or one that does not
                fit.
        """
        if folder is not None:
            self.checkpoints = self.checkpoints or Checkpoints(folder)
        source = self.checkpoints if folder is None else Checkpoints(folder)
        if source is None:
            raise CheckpointError("resume needs a folder: Trainer(checkpoints=…) sets one.")
        state = source.load()
        if state is None:
            return False
        load_weights(self.learner.module, state["network"])
        self.load_progress(state)
        self.pending = state
        return True

    def stop(self, reason: str) -> None:
        """End the training after the step or epoch under way; for callbacks and steps.

        Args:
            reason: Why, for the reader of `stop_reason`.
        """
        self.stop_reason = reason or "stopped"

    def minimize(self, loss: Tensor, name: str | None = None) -> None:
        """Move the weights of an optimiser against the gradient of a loss; for custom steps.

        Accumulation, clipping, mixed precision and several processes are taken care of. While
        the step is only evaluated, nothing happens.

        Args:
            loss: A scalar.
            name: Which optimiser, where there are several.
        """
        if isinstance(self.update, CustomUpdate):
            self.update.minimize(loss, name)

    def settle(self, objective: Objective) -> None:
        """Take the objective that the data settled.

        Args:
            objective: What is minimised from now on.
        """
        self.objective = objective
        self.metrics = resolved(self.options.metrics, objective.loss.judge)

    # For checkpoints

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on, but for random states and the place in the data."""
        return self.learner.state_dict() | {
            "epoch": self.epoch,
            "first_epoch": self.first_epoch,
            "steps": self.steps,
            "stop_reason": self.stop_reason,
            "history": [dict(record) for record in self.history],
            "callbacks": {
                name: callback.state_dict() for name, callback in named(self.callbacks).items()
            },
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave.

        Args:
            state: The state.
        """
        self.learner.load_state_dict(state)
        self.load_progress(state)
        for name, callback in named(self.callbacks).items():
            if name in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][name])

    def load_progress(self, state: dict[str, Any]) -> None:
        """Take back how far the training had come."""
        self.epoch, self.first_epoch = state["epoch"], state["first_epoch"]
        self.steps, self.stop_reason = state["steps"], state["stop_reason"]
        self.history = History(state["history"])


def resolved(metrics: Sequence[Any], loss: Any) -> list[Metric]:
    """Return metrics by their names, as they go with a loss; both names are checked."""
    known = None if loss is None else losses.resolve(loss).judge
    return [known_metrics.resolve(metric, known) for metric in metrics]


def make_learner(module: nn.Module, optimizer: Any, device: Any, seed: int | None) -> Learner:
    """Return what is trained, on its device and bound to its optimisers."""
    place = choose_device(device, module)
    processes = join_processes(place)
    module.to(place)
    optimizers = as_optimizers(optimizer, module)
    for each in optimizers.values():
        if each.state:  # it follows the weights to their device
            each.load_state_dict(each.state_dict())
    randomness = Randomness(seed, place, processes)
    return Learner(module, optimizers, place, processes, randomness)


def named(callbacks: Sequence[Callback]) -> dict[str, Callback]:
    """Return callbacks under their types' names, numbered from the second of a type."""
    names: dict[str, Callback] = {}
    for callback in callbacks:
        kind = type(callback).__name__
        count = sum(type(c).__name__ == kind for c in names.values())
        names[f"{kind}{count + 1}" if count else kind] = callback
    return names
