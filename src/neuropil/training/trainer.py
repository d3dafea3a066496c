"""The trainer: one `fit` for every kind of training."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.checks import whole
from neuropil.training.binding import ONLY
from neuropil.training.callbacks import Callback, actions_at, by_type
from neuropil.training.checkpoints.checkpoint import (
    CheckpointError,
    Checkpoints,
    check_unused,
)
from neuropil.training.checkpoints.resume_check import check_same, facts_of
from neuropil.training.loop.batch_preparation import Preparation
from neuropil.training.loop.build_update import build_update
from neuropil.training.loop.custom_step import CustomUpdate, check_values
from neuropil.training.loop.epochs import Fit, Hooks
from neuropil.training.loop.learner import Learner, load_weights
from neuropil.training.loop.memory_examples import as_arrays
from neuropil.training.loop.objective_choice import choose_objective
from neuropil.training.loop.streams import data_generator
from neuropil.training.loop.update import Parts
from neuropil.training.loop.validation import loss_values, measure
from neuropil.training.losses.score_views import warn_of_probabilities
from neuropil.training.metrics.metrics import resolve_all
from neuropil.training.progress import as_progress
from neuropil.training.threads import set_threads, threads_kept
from neuropil.training.trainer_options import Options, takes
from neuropil.training.training_state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from torch.optim import Optimizer

    from neuropil.training.history import History
    from neuropil.training.loop.batches import Batches
    from neuropil.training.loop.update import Update
    from neuropil.training.losses.weighted_loss import Objective


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
        loss: The name of a loss of `neuropil.training`, one of torch's losses, or a function of
            outputs and targets that gives one value per example.
        optimizer: An optimiser bound to the network's parameters, a function that binds one, or
            a name; Adam by default. A dict of them for a custom `step`. One that evaluates the
            loss several times in a step sees the same dropout and augmentation each time, and
            ends the training where a step on all examples would change nothing any more.
        metrics: Names of metrics of `neuropil.training`, metrics, or functions of outputs and
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

    @takes(Options)
    def __init__(self, options: Options) -> None:
        for callback in options.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks must be Callback objects, got {callback!r}.")
        self.options = options
        self.network = options.network
        self.metrics = resolve_all(options.metrics, options.loss)
        self.callbacks = list(options.callbacks)
        folder = options.checkpoints
        self.checkpoints = None if folder is None else Checkpoints(folder)
        self.progress = as_progress(options.progress)
        self.learner = Learner(options)
        self.state = TrainingState()
        # What the data settle where the options leave it open.
        self.objective: Objective | None = None
        # Only while `fit` runs; a checkpoint that the next `fit` goes on from.
        self.update: Update | None = None
        self.pending: dict[str, Any] | None = None

    @property
    def optimizer(self) -> Optimizer | dict[str, Optimizer]:
        """The optimiser, or the dict of them."""
        own = self.learner.optimizers
        return own[ONLY] if list(own) == [ONLY] else own

    @property
    def history(self) -> History:
        """The figures of all epochs."""
        return self.state.history

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.state.epoch

    @property
    def steps(self) -> int:
        """Steps done."""
        return self.state.steps

    @property
    def stop_reason(self) -> str:
        """Why the last fit ended before its last epoch; empty if it did not."""
        return self.state.stop_reason

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
        whole(epochs, "epochs")
        if batch_size is not None:
            whole(batch_size, "batch_size")
        if resume:
            self.resume()
        with self.learner.randomness, threads_kept():
            self.learner.data_generator = data_generator(data)
            training = self.prepare(data, "training", batch_size)
            validate = None
            if validation is not None:
                held_out = self.prepare(validation, "validation", batch_size or 1)
                validate = functools.partial(self.validate, held_out)
            facts = self.begin(training, epochs)
            set_threads(self.learner, self.options.threads, training)
            self.run(training, validate, facts, self.state.first_epoch + epochs)
        return self.history

    def evaluate(self, data: Any, *, batch_size: int = 32) -> dict[str, float]:
        """Return the loss and the metrics over some data, in test mode.

        Args:
            data: As for `fit`.
            batch_size: Examples at once, at least; more where they are small.

        Raises:
            ValueError: When the data cannot be used.
        """
        whole(batch_size, "batch_size")
        return self.measure(self.prepare(data, "evaluation", batch_size))

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
        self.state.load_state_dict(state)
        self.pending = state
        return True

    def stop(self, reason: str) -> None:
        """End the training after the step or epoch under way; for callbacks and steps.

        Args:
            reason: Why, for the reader of `stop_reason`.
        """
        self.state.stop_reason = reason or "stopped"

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

    # What a fit is made of

    def prepare(self, data: Any, title: str, batch_size: int | None) -> Batches:
        """Return batches of what the user gave, to learn from if the title is "training"."""
        options, learner = self.options, self.learner
        data = as_arrays(data, title) or data
        if self.objective is None and (options.step is None or options.loss is not None):
            self.objective = choose_objective(options, learner, data, title)
            self.metrics = resolve_all(options.metrics, self.objective.loss)
            warn_of_probabilities(learner.module, [self.objective.loss, *self.metrics])
        exact = any(metric.takes == "values" for metric in self.metrics)
        preparation = Preparation(learner, self.objective, exact)
        if title == "training":
            return preparation.training_batches(data, batch_size, normalize=options.normalize)
        return preparation.evaluation_batches(data, title, batch_size or 1)

    def begin(self, training: Batches, epochs: int) -> dict[str, Any]:
        """Make what the first fit makes, or take up the state of an interrupted one.

        Returns:
            What must be the same again where this training is resumed.

        Raises:
            CheckpointError: When the folder of checkpoints holds another training, or the one
                that is resumed had other data or options.
        """
        options, learner = self.options, self.learner
        learner.begin(options, training.count, epochs)
        for action in actions_at("on_start", self.callbacks, self):
            action()
        facts = facts_of(options, learner, training, epochs)
        if self.pending is not None:
            check_same(self.pending["facts"], facts)
            self.load_state_dict(self.pending)
        else:
            if not self.steps:
                check_unused(self.checkpoints, learner.processes)
            self.state.begin()
        return facts

    def run(
        self,
        training: Batches,
        validate: Callable[[], dict[str, float]] | None,
        facts: dict[str, Any],
        epochs: int,
    ) -> None:
        """Train to the last epoch, and leave the final weights in the network."""
        options, learner, objective = self.options, self.learner, self.objective
        if options.step is None and objective is not None:
            update = build_update(options, learner, objective, self.metrics)
        else:
            parts = Parts(options, learner)
            update = CustomUpdate(parts, learner.optimizers, self.step, self.idle)
        hooks = Hooks(
            validate=validate,
            on_step=actions_at("on_step", self.callbacks, self),
            on_epoch=actions_at("on_epoch", self.callbacks, self),
            state=lambda: self.state_dict() | {"facts": facts},
            progress=self.progress,
            checkpoints=self.checkpoints,
        )
        fit = Fit(options, learner, self.state, update, training, epochs, hooks)
        if self.pending is not None:
            fit.load_state_dict(self.pending)
            self.pending = None
        self.update = update
        try:
            fit.run()
        finally:
            self.update = None
            learner.rest()
        for action in actions_at("on_stop", self.callbacks, self):
            action()

    def step(self, batch: Any) -> Any:
        """Return what the user's own step gives for a batch."""
        own: Any = self.options.step
        return own(self, batch)

    def idle(self, batch: Any) -> tuple[dict[str, Tensor], None, None]:
        """Return what a custom step gives for a batch; nothing is minimised meanwhile."""
        update, self.update = self.update, None
        try:
            with torch.no_grad():
                return check_values(self.step(batch)), None, None
        finally:
            self.update = update

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return the figures of the validation, with averaged weights where there are any."""
        with self.learner.averaged():
            return self.measure(batches)

    def measure(self, batches: Batches) -> dict[str, float]:
        """Return the loss and the metrics of the network as it is."""
        values = self.idle
        if self.objective is not None:
            autocast = self.options.autocast(self.device)
            values = loss_values(self.learner, self.objective, autocast)
        return measure(self.learner, values, batches, self.metrics)

    # For checkpoints

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on, but for random states and the place in the data."""
        callbacks = by_type(self.callbacks).items()
        return {
            **self.learner.state_dict(),
            **self.state.state_dict(),
            "callbacks": {name: callback.state_dict() for name, callback in callbacks},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave.

        Args:
            state: The state.
        """
        self.learner.load_state_dict(state)
        self.state.load_state_dict(state)
        for name, callback in by_type(self.callbacks).items():
            if name in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][name])
