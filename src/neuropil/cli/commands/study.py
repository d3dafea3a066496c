"""``neuropil study``."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from neuropil.cli.train_options import RUN, TrainOptions, option
from neuropil.datasets.formats import check_openable, openable

STUDY = "Study"
# Options of `neuropil train` that set the data and the baseline.
SHARED = (
    *("target", "task", "header", "encoding", "split_by", "image_size", "color"),
    *("validation", "test", "network", "optimizer", "lr", "batch_size", "epochs", "schedule"),
    *("patience", "keep_best", "loss", "augment", "seed", "device", "threads", "config"),
)


def own_options(
    data: Annotated[
        Path | None,
        typer.Argument(
            help=f"The data: {openable()}. Default: handwritten digits.",
            metavar="DATA",
            show_default=False,
        ),
    ] = None,
    *,
    tricks: Annotated[
        str,
        typer.Option(
            help="Names of tricks or of groups of them, such as elu,dropout,schedule; all; or "
            "list, which prints them. A + between two, as in elu+dropout, adds each of one "
            "with each of the other.",
            rich_help_panel=STUDY,
            metavar="NAMES",
        ),
    ] = "all",
    budget: Annotated[
        str,
        typer.Option(
            help="The time, such as 90s, 30m or 2h. The number of trainings is fitted to it.",
            rich_help_panel=STUDY,
            metavar="TIME",
        ),
    ] = "30m",
    seeds: Annotated[
        int | None,
        option("Largest number of seeds. Default: as many as fit, at most 20.", STUDY),
    ] = None,
    outcome: Annotated[
        str | None,
        option(
            "What is compared: a metric of the task, log_loss, seconds, or steps_to:0.95 for "
            "the steps to this value on validation. Default: the headline metric of the task.",
            STUDY,
            metavar="NAME",
        ),
    ] = None,
    smallest: Annotated[
        float | None,
        option(
            "Smallest difference that matters, in points for accuracies and the like. Default: "
            "0.5 points, or 1 % of the baseline's outcome.",
            STUDY,
        ),
    ] = None,
    tune_lr: Annotated[
        bool,
        typer.Option(
            "--tune-lr",
            help="Choose for the baseline and each trick among half, once and twice the "
            "learning rate, by three trainings each on the validation examples.",
            rich_help_panel=STUDY,
        ),
    ] = False,
    storage: Annotated[
        str | None,
        option(
            "Database of the runs, such as postgresql://user@host/name. Machines that are "
            "given the same one share the work. Default: a file in the folder of the study.",
            STUDY,
            metavar="URL",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        option(
            "Folder of the study; one that has begun is continued. Default: one in studies/, "
            "named after the data and the question.",
            RUN,
            metavar="FOLDER",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only the folder.", rich_help_panel=RUN)
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print only the results, as JSON.", rich_help_panel=RUN),
    ] = False,
) -> None:
    """Only its signature is used."""


def study(**options: Any) -> None:
    """Find out which tricks help on your data, and by how much.

    A baseline and each trick, one change at a time, are trained with several seeds within the
    time; then the tricks that help, together. The result is a page with the gains, their
    intervals, what they cost, and a recommendation.

    The same command again continues a study; started on several machines with the same
    --storage, it shares the work.
    """
    if options["tricks"] == "list":
        from neuropil.cli.study.trick_list import show_tricks

        show_tricks()
        return
    if options["data"] is not None:
        check_openable(options["data"])
    from neuropil.cli.study.study_run import start_study  # which takes seconds

    own = {name: options[name] for name in inspect.signature(own_options).parameters}
    shared = {name: options[name] for name in SHARED}
    start_study(own, TrainOptions(data=own["data"], **shared))


def joint_signature() -> inspect.Signature:
    """Return the options of the study, and those of a training that it shares."""
    own = inspect.signature(own_options)
    train = inspect.signature(TrainOptions).parameters
    shared = (train[name].replace(kind=inspect.Parameter.KEYWORD_ONLY) for name in SHARED)
    return own.replace(parameters=[*own.parameters.values(), *shared])


study.__signature__ = joint_signature()
