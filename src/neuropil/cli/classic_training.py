"""``neuropil train --network sofm``: classic networks, from their name to a run folder."""

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

# Options of training by gradients that a classic network has as its own, under these names.
OWN = {"epochs": "n_epochs", "lr": "lr"}
# Options that mean nothing to it.
OTHERS = (
    *("weights", "freeze", "then", "optimizer", "batch_size", "schedule", "loss"),
    *("class_weight", "augment"),
)


def estimator_of(
    text: str, settings: Settings, splits: Splits
) -> tuple[ClassicNetwork, list[str]]:
    """Return the classic network that the options ask for, and what a person should know.

    Raises:
        ValueError: When an option is not the network's, or the text is no plain call.
    """
    from neuropil.classic.base import check_sizes

    kind = class_named(text)
    if kind is None:
        raise ValueError(f"there is no classic network {text!r}.")
    known = inspect.signature(kind).parameters
    options = own_options(kind, settings) | plain_options(text, kind)
    if "random_state" in known:
        options.setdefault("random_state", settings.seed % 2**32)
    notes: list[str] = []
    if "binarize" in known and "binarize" not in options and splits.kind == "pictures":
        options["binarize"] = 0.5
        notes.append("what is brighter than half is 1, the rest 0; binarize=… says otherwise.")
    network = kind(**options)
    network.check_options()
    check_sizes(network)
    return network, notes


def own_options(kind: type, settings: Settings) -> dict[str, Any]:
    """Return the options of the command that a classic network has as its own.

    Raises:
        ValueError: When an option means nothing to it.
    """
    for option in OTHERS:
        if getattr(settings, option) is not None:
            raise ValueError(
                f"{flag(option)} is for training by gradients; {kind.__name__} takes its "
                f"options in its call: --network '{kind.__name__}(…)'."
            )
    given = {own: getattr(settings, option) for option, own in OWN.items()}
    asked = {own: value for own, value in given.items() if value is not None}
    for name in asked:
        if name not in inspect.signature(kind).parameters:
            raise ValueError(f"{kind.__name__} has no {name}: leave the option out.")
    return asked


def model_of(
    settings: Settings, splits: Splits, task: Task[Any]
) -> tuple[ClassicModel, list[str]]:
    """Return the model that the options ask for, not fitted yet."""
    from neuropil.runs.classic_model import ClassicModel

    estimator, notes = estimator_of(settings.network or "", settings, splits)
    preparation: Any = splits.preparation
    limits = (preparation.low, preparation.high) if splits.kind == "pictures" else None
    return ClassicModel(estimator, classes_of(task), limits), notes


def classes_of(task: Task[Any]) -> int | None:
    """Return how many classes a classic network is to tell apart; None for numbers.

    Raises:
        ValueError: When it cannot answer such a task.
    """
    known = {"classification": task.target.outputs, "regression": None}
    if task.name not in known:
        raise ValueError(f"a classic network is for {' or '.join(known)}, not {task.name}.")
    return known[task.name]


def model_again(run: Run, splits: Splits) -> ClassicModel:
    """Return the model of a run, not fitted yet.

    Raises:
        ValueError: When ``run.json`` lacks a setting.
    """
    run.require("network", "seed", "threads", *OTHERS, *OWN)
    # The loss is how its answers are judged; nobody asked for it.
    settings = replace(Settings.from_plain(run.settings), loss=None)
    model, _ = model_of(settings, splits, run.task)
    return model


def show_model(model: ClassicModel) -> None:
    """Say what is going to be fitted, and how it answers."""
    label("Network", repr(model))
    behind = {
        "groups": "each group answers with its training examples' targets",
        "features": "a linear model answers from what it makes of the examples",
    }
    if model.role in behind:
        label("Answers", behind[model.role])
