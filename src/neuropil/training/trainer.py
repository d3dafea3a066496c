"""The trainer: one `fit` for every kind of training."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import optional, whole
from neuropil.datasets.loading import default_workers
from neuropil.training.binding import ONLY
from neuropil.training.callback_events import check_events
from neuropil.training.callbacks import Callback, actions_at, by_type
from neuropil.training.checkpoints.checkpoint import CheckpointError, Checkpoints, check_unused
from neuropil.training.checkpoints.resume_check import check_same, facts_of
from neuropil.training.checkpoints.sharded_states import load_shards
from neuropil.training.loop.batch_preparation import Preparation
from neuropil.training.loop.build_update import build_update, watch_first_batch
from neuropil.training.loop.custom_step import CustomUpdate, check_values
from neuropil.training.loop.epochs import Fit, Hooks
from neuropil.training.loop.given_data import open_data
from neuropil.training.loop.learner import Learner
from neuropil.training.loop.objective_choice import choose_objective
from neuropil.training.loop.source_batches import running_workers
from neuropil.training.loop.streams import data_generator
from neuropil.training.loop.update import Parts
from neuropil.training.loop.validation import loss_values, measure
from neuropil.training.losses.second_softmax import warn_of_probabilities
from neuropil.training.metrics.metrics import resolve_all
from neuropil.training.progress import as_progress
from neuropil.training.threads import set_threads, use_threads
from neuropil.training.trainer_description import as_html, as_text
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
    """Train one or several networks, and resume an interrupted training exactly.

    Each step moves the weights w against the gradient of the objective

        J(w) = (1/N) Σᵢ loss(network(xᵢ; w), yᵢ) + penalty(w)

    over a batch of N examples. `fit` shuffles the examples, splits them into batches, validates
    after each epoch and records the figures. Checkpoints contain everything that a training
    depends on: on the CPU, a training that was killed at any step and resumed gives the same
    result, bit for bit, as one that was not interrupted.

    **Scores and values.** Each loss and metric defines its input. The cross entropies, the
    hinges, the divergence and the classification metrics take the *scores* of the network, its
    output before a last `Softmax` or `Sigmoid`, so that no precision is lost. All others take
    the *values* that `predict` returns: errors between numbers, R², and your own functions,
    unless they have an attribute ``takes = "scores"``. Torch's losses and their functions are
    recognised: ``CrossEntropyLoss``, ``BCEWithLogitsLoss`` and the margin losses take scores,
    ``NLLLoss`` and ``KLDivLoss`` log-probabilities, all others values. Each has the value that
    it has in a loop written by hand, class weights and ignored classes included; where the sum
    over a batch is minimised, the mean is reported. Probabilities that a loss takes for scores,
    as with a second softmax, are warned of in the first batch. Without a `loss`, the last layer
    decides, or else the targets: cross entropy for integers, squared error for floating-point
    numbers.

    **Final weights.** After `fit` the network is in evaluation mode. With `ema` it holds the
    averaged weights, and a further `fit` continues from the trained ones; with a `BestWeights`
    callback it holds the weights of the best epoch.

    **Custom training.** `step` replaces the default step. It returns a dict of scalars, whose
    means appear in the history. The entry ``loss`` is minimised, unless the step calls
    ``trainer.minimize(loss, name)``, as adversarial training does with two networks and two
    optimisers. In validation the same step runs without gradients, and `minimize` does nothing.

    **Data.** Anything that yields rows or batches trains. What an object offers decides, not
    its class.

    - Arrays in memory: ``(inputs, targets)``, a `Dataset`, a dict of columns, a table of
      PyArrow, pandas or Polars. ``(inputs, targets, weights)`` gives each example a weight in
      the loss; only their ratios matter.
    - Examples fetched by index: a `Source`, such as a large folder of pictures; a set of rows
      with ``__len__`` and ``__getitem__`` (of torch, of Hugging Face, a list); a PyArrow data
      set of Parquet files. They need not fit in memory: `workers` processes fetch the batches
      ahead, and a resumed training fetches only those that are left.
    - Whatever can be iterated again and again: rows, or batches such as those of a
      ``DataLoader``, in the order in which they come; other PyArrow data sets. Their mean and
      scale are not measured.

    The last part of a tuple is the target, all others are inputs. In a dict the target is
    called ``"target"``, ``"targets"``, ``"label"``, ``"labels"`` or ``"y"``, and the inputs are
    called like those of the network, ``Input(3, name="rgb")``, or like the arguments of a
    module. A single other entry needs no name; nor do the columns of a vector, if there are as
    many of them as the network takes numbers.

    **Several processes.** Under ``torchrun`` each process takes its part of every batch;
    together they compute the same as one process with the whole batch, batch normalisation
    included; dropout and augmentation draw other random numbers. Every process needs the same
    data and the same arguments; only the first one reads and writes checkpoints and shows
    progress. A training may be resumed by another number of processes: it then continues from
    the same state, but no longer bit for bit.

    Each process fetches its own part of data that are fetched by index. A stream with shards
    (Hugging Face's, or a torch ``IterableDataset`` that asks ``get_worker_info``) is read shard
    by shard, and a batch joins the rows of all processes.

    Args:
        network: A network, any ``nn.Module``, or a dict of them for a custom `step`.
        loss: The name of a loss of `neuropil.training`, one of torch's losses, or a function of
            outputs and targets that returns one value per example, or one for all of them.
        optimizer: An optimiser bound to the network's parameters, a function from parameters to
            an optimiser, or a name; Adam by default. A dict of optimisers for a custom `step`.
            One that evaluates the loss several times per step gets the same dropout and
            augmentation each time, and ends the training when it has converged on all examples.
        metrics: Names of metrics of `neuropil.training`, metrics, or functions of outputs and
            targets; a dict gives them names. A function returns one value per example, of which
            the mean is taken, or a single number: then it is called at the end of the epoch
            with all examples, which are kept until then.
        regularizer: ``l1(…)``, ``l2(…)``, ``maxnorm(…)`` or a sum of these: a penalty on the
            weights, or a projection after each step.
        schedule: Schedule of the learning rate: a name such as ``"cosine"``, stretched over the
            whole fit; a function from an optimiser to a torch scheduler; or a scheduler. Its
            ``interval`` says whether it advances with each step or each epoch.
        step: A function ``step(trainer, batch)`` that replaces the default step.
        callbacks: `Callback` objects, called in this order.
        class_weight: One weight per class for the loss of its examples, or ``"balanced"`` for
            weights inversely proportional to the class frequencies.
        augment: A function ``augment(inputs, targets, generator)`` that returns augmented
            inputs and targets. It is applied to each training batch, on the device.
        normalize: Whether to set the mean and scale of the network's inputs from the training
            examples, if they are not set yet.
        seed: Makes a training repeatable: it determines the order of the examples, augmentation
            and dropout, and the global random states do not change. None draws a seed from
            torch's global generator.
        device: Device to train on: ``"cpu"``, ``"cuda"``, or ``"auto"`` for an accelerator if
            there is one. None is the device of the network.
        threads: Number of CPU threads. ``"auto"`` chooses one thread per 10 million
            multiply–adds in the average layer of a step, at most torch's setting; a resumed
            training uses the same number. None leaves torch's setting.
        workers: Number of processes that fetch the batches of a source ahead; 0 fetches them in
            this process. None is one per processor, at most 8. It does not change the result.
        accumulate: Number of batches whose gradients are accumulated for one step. Every
            example has the same weight, also in a smaller last group.
        clip_norm: Maximum norm of the gradient over all weights; larger ones are scaled down.
        ema: Decay of an exponential moving average of the weights, such as 0.999. Validation
            uses the averages, and the network holds them after the training.
        mixed_precision: ``"bf16"`` or ``"fp16"``: run most layers in half precision.
        compile: Whether to compile the network with ``torch.compile``.
        shard: Whether each process keeps only its part of the weights, gradients and optimiser
            states, by PyTorch's FSDP: for networks too large for one accelerator. A `Network`
            may then be on the meta device: its weights are drawn from `seed`, one layer at a
            time, and are those of ``network.reset_parameters`` with the same seed. It needs
            several processes and an optimiser that treats each weight by itself.
            `gather_network` returns the trained network.
        checkpoints: A folder that always contains a complete state of the training.
        checkpoint_every: Steps between two checkpoints; by default one is written every 30 s
            and after each epoch, but never so often that it costs more than 5 % of the time.
        progress: Whether to show progress on standard error, or a `Progress` object.

    Raises:
        ValueError: If an option is out of its range.
        TypeError: If the network, an optimiser or a callback has the wrong type, or a callback
            has a method for an event that does not exist.

    Attributes:
        network: The `network` argument.
        optimizer: The optimiser, or the dict of optimisers.
        history: The figures of all epochs, a `History`.
        epoch: Number of epochs done.
        steps: Number of steps done.
        metrics: The metrics.
        stop_reason: Why the last fit ended before its last epoch; empty if it did not.

    Example:
        >>> import torch
        >>> from neuropil.layers import Input, Softmax
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

        Rows of any kind, here with the columns of a table by name:

        >>> rows = [
        ...     {"width": a, "height": b, "label": int(a > b)} for a, b in torch.rand(50, 2)
        ... ]
        >>> wider = Trainer(Input(2) >> Softmax(2), seed=0, workers=0, progress=False)
        >>> wider.fit(rows, epochs=2).columns
        ['epoch', 'steps', 'loss', 'lr', 'seconds']

        Two networks that are trained against each other, with a custom step:

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
                raise TypeError(
                    "callbacks must be Callback objects, of subclasses of "
                    f"neuropil.training.Callback, got {callback!r}."
                )
            check_events(callback)
        self.options = options
        self.network = options.network
        self.metrics = resolve_all(options.metrics, options.loss)
        self.callbacks = list(options.callbacks)
        folder = options.checkpoints
        self.checkpoints = None if folder is None else Checkpoints(folder)
        self.progress = as_progress(options.progress)
        self.learner = Learner(options)
        self.state = TrainingState()
        # Chosen when the data are known.
        self.objective: Objective | None = None
        # Whether a warning said that the loss or a metric gets probabilities for scores.
        self.warned = False
        # The step, while `fit` runs.
        self.update: Update | None = None
        # The batch size of the last `fit`; None before it, or if the data has its own batches.
        self.batch_size: int | None = None
        # The checkpoint that the next `fit` resumes from.
        self.pending: dict[str, Any] | None = None

    @property
    def optimizer(self) -> Optimizer | dict[str, Optimizer]:
        """The optimiser, or the dict of optimisers."""
        own = self.learner.optimizers
        return own[ONLY] if list(own) == [ONLY] else own

    @property
    def history(self) -> History:
        """The figures of all epochs."""
        return self.state.history

    @property
    def epoch(self) -> int:
        """Number of epochs done."""
        return self.state.epoch

    @property
    def steps(self) -> int:
        """Number of steps done."""
        return self.state.steps

    @property
    def stop_reason(self) -> str:
        """Why the last fit ended before its last epoch; empty if it did not."""
        return self.state.stop_reason

    @property
    def device(self) -> torch.device:
        """The device that the network is trained on."""
        return self.learner.device

    @property
    def values(self) -> dict[str, Tensor]:
        """The loss and other scalars of the last batch by name; empty outside `fit`."""
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
        """Train the network and return the history of all epochs so far.

        Args:
            data: ``(inputs, targets)`` or ``(inputs, targets, weights)`` as tensors or arrays,
                with a tuple of inputs if the network has several; a `Dataset` or another
                `Source`; a set of rows; or an iterable of rows or batches that can be iterated
                repeatedly, such as a ``DataLoader``. The class describes them all.
            validation: Data of the same kind, evaluated after every epoch; None for none.
            epochs: Number of passes over the data. A second `fit` adds further epochs.
            batch_size: Number of examples in a batch; iterables of batches have their own. A
                single remaining example joins the previous batch. None is 32, or all examples
                for optimisers that need them: line searches, methods that use curvature, and
                RPROP.
            resume: Whether to resume from the latest checkpoint, if there is one, and train to
                the end of the interrupted fit. The other arguments must be the same as before,
                including `epochs` if a schedule is given by name and stretched over them.

        Raises:
            ValueError: If data or options cannot be used.
            CheckpointError: If a checkpoint does not match the trainer, was written with other
                data or options, or the folder contains checkpoints of another training.
            NonFiniteError: If the loss becomes NaN or infinite; the last checkpoint is kept.
            OSError: If a checkpoint cannot be written; the previous one is intact.
            KeyboardInterrupt: After SIGINT or SIGTERM, once the step is finished and its state
                is written.
        """
        whole(epochs, "epochs")
        optional(whole)(batch_size, "batch_size")
        if resume:
            self.resume()
        with self.learner.randomness, use_threads():
            self.learner.data_generator = data_generator(data)
            training = self.prepare(data, "training", batch_size)
            validate = held_out = None
            if validation is not None:
                held_out = self.prepare(validation, "validation", batch_size or 1)
                validate = functools.partial(self.validate, held_out)
            facts = self.begin(training, epochs)
            self.batch_size = facts.get("batch_size")
            set_threads(self.learner, self.options.threads, training)
            with running_workers(training, held_out):
                self.run(training, validate, facts, self.state.first_epoch + epochs)
        return self.history

    def evaluate(self, data: Any, *, batch_size: int = 32) -> dict[str, float]:
        """Return the loss and the metrics for some data, in evaluation mode.

        Args:
            data: As for `fit`.
            batch_size: Minimum number of examples per forward pass; small examples are
                evaluated in larger batches.

        Raises:
            ValueError: If the data cannot be used.
        """
        whole(batch_size, "batch_size")
        return self.measure(self.prepare(data, "evaluation", batch_size))

    def resume(self, folder: str | PathLike[str] | None = None) -> bool:
        """Load the latest intact checkpoint; the next `fit` finishes the interrupted one.

        Args:
            folder: Folder of the checkpoints; by default that of the trainer.

        Returns:
            Whether there was one.

        Raises:
            CheckpointError: If there is no folder, no intact checkpoint in it, or the
                checkpoint does not match the trainer.
        """
        if folder is not None:
            self.checkpoints = self.checkpoints or Checkpoints(folder)
        source = self.checkpoints if folder is None else Checkpoints(folder)
        if source is None:
            raise CheckpointError("resume needs a folder: Trainer(checkpoints=…) sets one.")
        # Only the first process needs the folder: others may run on other machines.
        state = self.learner.processes.call_in_first(source.load)
        if state is None:
            return False
        sharded = self.learner.sharded
        state = load_shards(state, source.folder, None if sharded is None else sharded.mesh)
        self.restore(state)
        self.pending = state
        return True

    def restore(self, state: dict[str, Any] | None = None) -> None:
        """Set weights, counters and history to those of a checkpoint, in this process alone.

        Args:
            state: The checkpoint; None is the latest intact one, if there is one.

        Raises:
            CheckpointError: If the checkpoint does not match the network.
        """
        if state is None and self.checkpoints is not None:
            state = self.checkpoints.load()
        if state is not None:
            self.learner.load_weights(state["network"])
            self.state.load_state_dict(state)

    def stop(self, reason: str) -> None:
        """End the training after the current step or epoch; for callbacks and custom steps.

        Args:
            reason: The reason, stored in `stop_reason`.
        """
        self.state.stop_reason = reason or "stopped"

    def minimize(self, loss: Tensor, name: str | None = None) -> None:
        """Take an optimiser step on a loss; for custom steps.

        Accumulation, clipping, mixed precision and several processes are handled. During
        validation it does nothing.

        Args:
            loss: A scalar.
            name: Name of the optimiser, if there are several.
        """
        if isinstance(self.update, CustomUpdate):
            self.update.minimize(loss, name)

    def gather_network(self) -> Any:
        """Return the network with all its weights; with `shard`, a copy on the CPU.

        With `shard` all processes call it together: the first one gets the copy, the others
        get None.
        """
        sharded = self.learner.sharded
        if sharded is None:
            return self.network
        return sharded.gather(keep=self.learner.processes.first)

    @override
    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    # The parts of a fit

    def prepare(self, data: Any, title: str, batch_size: int | None) -> Batches:
        """Return batches of the data, for training if the title is "training"."""
        options, learner = self.options, self.learner
        data = open_data(data, title, learner)
        if self.objective is None and (options.step is None or options.loss is not None):
            self.objective = choose_objective(options, learner, data, title)
            self.metrics = resolve_all(options.metrics, self.objective.loss)
            takers = [self.objective.loss, *self.metrics]
            self.warned = warn_of_probabilities(learner.module, takers)
        exact = any(metric.takes == "values" for metric in self.metrics)
        workers = default_workers() if options.workers is None else options.workers
        preparation = Preparation(learner, self.objective, exact, workers)
        if title == "training":
            return preparation.training_batches(data, batch_size, normalize=options.normalize)
        return preparation.evaluation_batches(data, title, batch_size or 1)

    def begin(self, training: Batches, epochs: int) -> dict[str, Any]:
        """Prepare a fit, or restore the state of an interrupted one.

        Returns:
            The facts that must not change when this training is resumed.

        Raises:
            CheckpointError: If the checkpoint folder belongs to another training, or the
                interrupted training had other data or options.
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
        """Train to the last epoch and leave the final weights in the network."""
        options, learner, objective = self.options, self.learner, self.objective
        if options.step is None and objective is not None:
            update = build_update(options, learner, objective, self.metrics)
            if not (self.warned or options.compile or learner.processes.count > 1):
                watch_first_batch(update, learner.views)
        else:
            parts = Parts(options, learner)
            update = CustomUpdate(parts, learner.optimizers, self.step, self.idle)
        hooks = Hooks(
            validate=validate,
            on_epoch_start=actions_at("on_epoch_start", self.callbacks, self),
            on_step_start=actions_at("on_step_start", self.callbacks, self),
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
            with learner.processes.training_together(learner.module):
                fit.run()
        finally:
            self.update = None
            learner.finish()
        for action in actions_at("on_stop", self.callbacks, self):
            action()

    def step(self, batch: Any) -> Any:
        """Return the result of the custom step for a batch."""
        own: Any = self.options.step
        return own(self, batch)

    def idle(self, batch: Any, rows: int = 1) -> tuple[dict[str, Tensor], None, None, None]:
        """Return the result of the custom step for a batch, without minimising anything."""
        del rows
        update, self.update = self.update, None
        try:
            with torch.no_grad():
                return check_values(self.step(batch)), None, None, None
        finally:
            self.update = update

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return the validation figures, with the averaged weights if there are any."""
        with self.learner.averaged_weights():
            return self.measure(batches)

    def measure(self, batches: Batches) -> dict[str, float]:
        """Return the loss and the metrics of the network with its current weights."""
        values = self.idle
        if self.objective is not None:
            autocast = self.options.autocast(self.device)
            values = loss_values(self.learner, self.objective, autocast)
        return measure(self.learner, values, batches, self.metrics)

    # For checkpoints

    def state_dict(self) -> dict[str, Any]:
        """Return the state, without random states and the position in the data."""
        callbacks = by_type(self.callbacks).items()
        return {
            **self.learner.state_dict(),
            **self.state.state_dict(),
            "callbacks": {name: callback.state_dict() for name, callback in callbacks},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned.

        Args:
            state: The state.
        """
        self.learner.load_state_dict(state)
        self.state.load_state_dict(state)
        for name, callback in by_type(self.callbacks).items():
            if name in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][name])
