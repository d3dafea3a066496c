"""What ``neuropil train`` may be asked, with the help that it shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, final

import typer

from neuropil.datasets.formats import openable
from neuropil.runs.tasks import TASKS

DATA, NETWORK, TRAINING, RUN = "Data", "Network", "Training", "Run"


def option(help: str, panel: str, *names: str, metavar: str | None = None) -> Any:  # noqa: A002 - Typer's word
    """Return an option without a default of its own."""
    return typer.Option(
        *names, help=help, rich_help_panel=panel, metavar=metavar, show_default=False
    )


@final
@dataclass(frozen=True)
class TrainOptions:
    """What ``neuropil train`` was asked, as it was typed."""

    data: Annotated[
        Path | None,
        option(
            f"The data: {openable()}; also packed (.csv.gz). Default: the handwritten digits.",
            DATA,
            metavar="PATH",
        ),
    ] = None
    target: Annotated[
        str | None,
        option("Column to predict, in a table. Default: the last.", DATA, metavar="COLUMN"),
    ] = None
    task: Annotated[
        str | None,
        option(
            f"{' or '.join(TASKS)}. Default: by the targets; words and at most 20 distinct "
            "whole numbers are classes.",
            DATA,
            metavar="TASK",
        ),
    ] = None
    header: Annotated[
        bool | None,
        option(
            "Whether the first row of a table names its columns. Default: seen from the rows.",
            DATA,
            "--header/--no-header",
        ),
    ] = None
    encoding: Annotated[
        str | None,
        option(
            "Encoding of a table, such as utf-8, cp1252, gb18030 or shift_jis. Default: found.",
            DATA,
            metavar="NAME",
        ),
    ] = None
    image_size: Annotated[
        str | None,
        option(
            "Bring pictures to this size, such as 32 or 48x64 (height first). Default: their "
            "own, or the median where they differ, at most 64.",
            DATA,
            metavar="SIZE",
        ),
    ] = None
    then: Annotated[
        str | None,
        option(
            "Afterwards train on at another size: 64:5 is 5 epochs at 64 pixels, at a quarter "
            "of the learning rate.",
            DATA,
            metavar="SIZE:EPOCHS",
        ),
    ] = None
    color: Annotated[
        str | None,
        option("Read pictures as grey or rgb. Default: as they are.", DATA, metavar="COLOR"),
    ] = None
    validation: Annotated[
        float,
        typer.Option(help="Share or number of examples to validate on.", rich_help_panel=DATA),
    ] = 0.1
    test: Annotated[
        float,
        typer.Option(
            help="Share or number of examples to test on at the end, unless the data has test "
            "files.",
            rich_help_panel=DATA,
        ),
    ] = 0.2
    network: Annotated[
        str | None,
        option(
            "An architecture's name, an expression such as 'Relu(64) >> Softmax(10)', a saved "
            "network or run folder (training starts from its weights), a network.json, or a "
            "classic network such as sofm, lvq or 'PNN(sigma=0.5)'. Default: a small "
            "convolutional network for pictures, a dense one for tables.",
            NETWORK,
            metavar="NETWORK",
        ),
    ] = None
    weights: Annotated[
        str | None,
        option(
            "For an architecture: a .safetensors file, imagenet, or hub:OWNER/NAME. The last "
            "layer starts anew where the classes differ.",
            NETWORK,
            metavar="WEIGHTS",
        ),
    ] = None
    freeze: Annotated[
        str | None,
        option(
            "Keep the weights and statistics of all layers up to this one, such as stage3, as "
            "they are.",
            NETWORK,
            metavar="LAYER",
        ),
    ] = None
    optimizer: Annotated[
        str | None,
        option(
            "Such as adamw, adam, sgd, quasi_newton or 'LevenbergMarquardt(restarts=64)'. "
            "Default: chosen.",
            TRAINING,
            metavar="NAME",
        ),
    ] = None
    lr: Annotated[
        float | None,
        option("Learning rate. Default: chosen, or the optimiser's own.", TRAINING),
    ] = None
    batch_size: Annotated[int | None, option("Examples a step. Default: chosen.", TRAINING)] = (
        None
    )
    epochs: Annotated[
        int | None, option("Passes over the data. Default: chosen.", TRAINING)
    ] = None
    schedule: Annotated[
        str | None,
        option(
            "How the learning rate moves: one_cycle, cosine, linear, step, exponential, "
            "polynomial or none. Default: chosen.",
            TRAINING,
            metavar="NAME",
        ),
    ] = None
    loss: Annotated[
        str | None,
        option(
            "Such as cross_entropy, squared_error, huber. Default: by the task.",
            TRAINING,
            metavar="NAME",
        ),
    ] = None
    class_weight: Annotated[
        str | None,
        option(
            "balanced, or one number per class such as 1,2.5,1. Default: all alike.",
            TRAINING,
            metavar="WEIGHTS",
        ),
    ] = None
    augment: Annotated[
        str | None,
        option(
            "Change the training pictures at random: an expression such as 'RandomShift(2)', "
            "or none. Default: chosen.",
            TRAINING,
            metavar="CHANGES",
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            help="Of the split, the weights and all chance: the same seed, the same result.",
            rich_help_panel=TRAINING,
        ),
    ] = 0
    device: Annotated[
        str,
        typer.Option(
            help="cpu, cuda, or auto: an accelerator if there is one.", rich_help_panel=RUN
        ),
    ] = "auto"
    threads: Annotated[
        str,
        typer.Option(help="CPU threads, or auto: by the work of a step.", rich_help_panel=RUN),
    ] = "auto"
    out: Annotated[
        Path | None,
        option(
            "Folder for the run, new or empty. Default: runs/DATA-DATE-TIME.",
            RUN,
            metavar="FOLDER",
        ),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Only say where the run is.", rich_help_panel=RUN),
    ] = False


def flag(name: str) -> str:
    """Return an option as it is typed."""
    return f"--{name.replace('_', '-')}"
