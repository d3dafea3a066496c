"""Training of classic networks from the command line: ``neuropil train --network sofm``."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil.cli.console import label
from neuropil.cli.settings import Settings
from neuropil.cli.train_options import flag
from neuropil.core.name_lookup import plain_options
from neuropil.runs.classic_names import class_named

if TYPE_CHECKING:
    from neuropil.classic.base import ClassicNetwork
    from neuropil.datasets import Splits
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.run_folder import Run
    from neuropil.runs.task import Task

# Options of gradient training that a classic network may also have, and its parameter names.
OWN = {"epochs": "n_epochs", "lr": "lr"}
# Options of gradient training that a classic network does not have.
OTHERS = (
    *("from_study", "weights", "freeze", "then", "optimizer", "batch_size", "schedule", "loss"),
    *("class_weight", "augment", "patience", "keep_best"),
)


def estimator_of(
    text: str, settings: Settings, splits: Splits
) -> tuple[ClassicNetwork, list[str]]:
    """Return the classic network that the options describe, and notes for the user.

    Raises:
        ValueError: When the network does not have an option, or the text is not a plain call.
    """
    from neuropil.classic.base import check_sizes

    kind = class_named(text)
    if kind is None:
        raise ValueError(f"unknown classic network {text!r}.")
    known = inspect.signature(kind).parameters
    options = own_options(kind, settings) | plain_options(text, kind)
    if "random_state" in known:
        options.setdefault("random_state", settings.seed % 2**32)
    notes: list[str] = []
    if "binarize" in known and "binarize" not in options and splits.kind == "pictures":
        options["binarize"] = 0.5
        notes.append(
            "pixels brighter than half the range become 1, the others 0; binarize=… changes "
            "the threshold."
        )
    network = kind(**options)
    network.check_options()
    check_sizes(network)
    return network, notes


def own_options(kind: type, settings: Settings) -> dict[str, Any]:
    """Return the parameters of a classic network that were given as options of the command.

    Raises:
        ValueError: When the network does not have an option that was given.
    """
    for option in OTHERS:
        if getattr(settings, option) is not None:
            raise ValueError(
                f"{flag(option)} is only for training by gradients; pass the options of "
                f"{kind.__name__} in its call: --network '{kind.__name__}(…)'."
            )
    given = {own: getattr(settings, option) for option, own in OWN.items()}
    asked = {own: value for own, value in given.items() if value is not None}
    for name in asked:
        if name not in inspect.signature(kind).parameters:
            raise ValueError(f"{kind.__name__} has no parameter {name}: leave the option out.")
    return asked


def model_of(
    settings: Settings, splits: Splits, task: Task[Any]
) -> tuple[ClassicModel, list[str]]:
    """Return the unfitted model that the options describe, and notes for the user."""
    from neuropil.runs.classic_model import ClassicModel

    estimator, notes = estimator_of(settings.network or "", settings, splits)
    preparation: Any = splits.preparation
    limits = (preparation.low, preparation.high) if splits.kind == "pictures" else None
    return ClassicModel(estimator, classes_of(task), limits), notes


def classes_of(task: Task[Any]) -> int | None:
    """Return the number of classes of a task; None for regression.

    Raises:
        ValueError: When classic networks do not support the task.
    """
    known = {"classification": task.target.outputs, "regression": None}
    if task.name not in known:
        raise ValueError(
            f"a classic network can be used for {' or '.join(known)}, not for {task.name}."
        )
    return known[task.name]


def model_again(run: Run, splits: Splits) -> ClassicModel:
    """Return the unfitted model of a run.

    Raises:
        ValueError: When ``run.json`` lacks a setting.
    """
    run.require("network", "seed", "threads", *OTHERS, *OWN)
    # The run stores the loss that measures the predictions; the user did not give it.
    settings = replace(Settings.from_plain(run.settings), loss=None)
    model, _ = model_of(settings, splits, run.task)
    return model


def show_model(model: ClassicModel) -> None:
    """Print the model that is going to be fitted, and how it predicts."""
    label("Network", repr(model))
    readout = {
        "groups": "the targets of the training examples in the same group",
        "features": "by a linear model of the network's features",
    }
    if model.role in readout:
        label("Predicts", readout[model.role])
