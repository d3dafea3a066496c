"""The options of ``neuropil train`` and their help texts."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, final

import typer

from neuropil.cli.config_file import use_config, use_study
from neuropil.datasets.formats import openable
from neuropil.runs.tasks import TASKS

# Options that do not change the result.
OUTPUT = ("check", "out", "config", "quiet", "json")
PATHS = ("data", "from_study")
DATA, NETWORK, TRAINING, RUN = "Data", "Network", "Training", "Run"


def option(help: str, panel: str, *names: str, metavar: str | None = None) -> Any:  # noqa: A002 - Typer's word
    """Return an option whose help text names its default."""
    return typer.Option(
        *names, help=help, rich_help_panel=panel, metavar=metavar, show_default=False
    )


@final
@dataclass(frozen=True)
class TrainOptions:
    """The options of ``neuropil train`` as the user typed them."""

    data: Annotated[
        Path | None,
        option(
            f"The data: {openable()}; also compressed (.csv.gz), or a folder of parts of a "
            "table. Default: handwritten digits.",
            DATA,
            metavar="PATH",
        ),
    ] = None
    target: Annotated[
        str | None,
        option(
            "Column of a table to predict, or several of numbers, such as width,height. "
            "Default: the last. For arrays of points: the names of the points, such as "
            "left_eye,right_eye, or face68 for the 68 landmarks of a face. Files with boxes, "
            "masks or points have the names in them.",
            DATA,
            metavar="NAMES",
        ),
    ] = None
    task: Annotated[
        str | None,
        option(
            f"{' or '.join(TASKS)}. Default: depends on the targets; words, and at most 20 "
            "distinct whole numbers, are classes.",
            DATA,
            metavar="TASK",
        ),
    ] = None
    header: Annotated[
        bool | None,
        option(
            "Whether the first row of a table names its columns. Default: detected.",
            DATA,
            "--header/--no-header",
        ),
    ] = None
    encoding: Annotated[
        str | None,
        option(
            "Encoding of a table, such as utf-8, cp1252, gb18030 or shift_jis. Default: "
            "detected.",
            DATA,
            metavar="NAME",
        ),
    ] = None
    split_by: Annotated[
        str | None,
        option(
            "Column of a table, such as that of the patient: rows with the same value never "
            "stand in two parts. A column of dates splits by time: the earliest rows for "
            "training, the latest for the test. Default: a random split.",
            DATA,
            metavar="COLUMN",
        ),
    ] = None
    image_size: Annotated[
        str | None,
        option(
            "Resize pictures to this size, such as 32 or 48x64 (height first); or buckets: to "
            "one of a few sizes, by shape; or native: keep their own sizes, padded in a batch. "
            "Default: their common size, or the median size (at most 64) if sizes differ; with "
            "boxes, at most about 320 pixels, in buckets if sizes differ.",
            DATA,
            metavar="SIZE",
        ),
    ] = None
    then: Annotated[
        str | None,
        option(
            "Continue training at another picture size: 64:5 means 5 epochs at 64 pixels with "
            "a quarter of the learning rate.",
            DATA,
            metavar="SIZE:EPOCHS",
        ),
    ] = None
    color: Annotated[
        str | None,
        option("Read pictures as grey or rgb. Default: detected.", DATA, metavar="COLOR"),
    ] = None
    validation: Annotated[
        float,
        typer.Option(
            help="Fraction or number of examples for validation.", rich_help_panel=DATA
        ),
    ] = 0.1
    test: Annotated[
        float,
        typer.Option(
            help="Fraction or number of examples for the final test, unless the data has test "
            "files.",
            rich_help_panel=DATA,
        ),
    ] = 0.2
    network: Annotated[
        str | None,
        option(
            "Name of an architecture, an expression such as 'Relu(64) >> Softmax(10)', a saved "
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
            "Pretrained weights for an architecture: a .safetensors or .npz file, imagenet, or "
            "hub:OWNER/NAME. The last layer is initialised anew if the classes differ. Without "
            "--network, the published names in a file tell the architecture.",
            NETWORK,
            metavar="WEIGHTS",
        ),
    ] = None
    freeze: Annotated[
        str | None,
        option(
            "Freeze the weights and statistics of all layers up to this one, such as stage3. "
            "Default: none; for a detector with --weights, its stage1.",
            NETWORK,
            metavar="LAYER",
        ),
    ] = None
    optimizer: Annotated[
        str | None,
        option(
            "Optimiser, such as adamw, adam, sgd, quasi_newton or "
            "'LevenbergMarquardt(restarts=64)'. Default: chosen automatically.",
            TRAINING,
            metavar="NAME",
        ),
    ] = None
    lr: Annotated[
        float | None,
        option("Learning rate. Default: chosen automatically, or the optimiser's.", TRAINING),
    ] = None
    batch_size: Annotated[
        int | None, option("Examples per step. Default: chosen automatically.", TRAINING)
    ] = None
    epochs: Annotated[
        int | None, option("Passes over the data. Default: chosen automatically.", TRAINING)
    ] = None
    schedule: Annotated[
        str | None,
        option(
            "Learning-rate schedule: one_cycle, cosine, linear, step, exponential, polynomial "
            "or none. Default: chosen automatically.",
            TRAINING,
            metavar="NAME",
        ),
    ] = None
    patience: Annotated[
        int | None,
        option(
            "Stop after this many epochs without a better validation loss, and keep the best "
            "weights. Default: train to the last epoch.",
            TRAINING,
            metavar="EPOCHS",
        ),
    ] = None
    keep_best: Annotated[
        bool | None,
        option(
            "Whether to keep the weights of the epoch with the best validation loss instead of "
            "the last. Default: with --patience.",
            TRAINING,
            "--keep-best/--no-keep-best",
        ),
    ] = None
    loss: Annotated[
        str | None,
        option(
            "Loss, such as cross_entropy, squared_error or huber. Default: that of the task.",
            TRAINING,
            metavar="NAME",
        ),
    ] = None
    class_weight: Annotated[
        str | None,
        option(
            "Class weights: balanced, or one number per class, such as 1,2.5,1. Default: "
            "equal weights.",
            TRAINING,
            metavar="WEIGHTS",
        ),
    ] = None
    augment: Annotated[
        str | None,
        option(
            "Random changes to the training pictures: an expression such as 'RandomShift(2)' "
            "or 'RandomFlip() >> ColorJitter(0.2)', or none. Default: chosen automatically.",
            TRAINING,
            metavar="CHANGES",
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            help="Random seed of the split, the weights and the training. The same seed gives "
            "the same result.",
            rich_help_panel=TRAINING,
        ),
    ] = 0
    device: Annotated[
        str,
        typer.Option(
            help="cpu, cuda, or auto (an accelerator if available).", rich_help_panel=RUN
        ),
    ] = "auto"
    threads: Annotated[
        str,
        typer.Option(
            help="Number of CPU threads, or auto (depends on the work per step).",
            rich_help_panel=RUN,
        ),
    ] = "auto"
    shard: Annotated[
        bool,
        typer.Option(
            "--shard",
            help="Keep only a part of the weights in each process: for networks too large for "
            "one accelerator. Needs several processes, started by torchrun.",
            rich_help_panel=RUN,
        ),
    ] = False
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Only check, in about a minute, whether the network can learn the labels of "
            "eight training examples at all; write nothing. The exit code is 1 if it cannot.",
            rich_help_panel=RUN,
        ),
    ] = False
    out: Annotated[
        Path | None,
        option(
            "Run folder to write, new or empty. Default: runs/DATA-DATE-TIME.",
            RUN,
            metavar="FOLDER",
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            help="Take options from a .toml or .json file; those on the command line override "
            "it. The run.json of a run is such a file: it repeats the run.",
            rich_help_panel=RUN,
            metavar="FILE",
            show_default=False,
            is_eager=True,
            callback=use_config,
        ),
    ] = None
    from_study: Annotated[
        Path | None,
        typer.Option(
            help="Train with what a study found: its data and baseline with the tricks that it "
            "recommends. The folder of the study. Options on the command line override it.",
            rich_help_panel=RUN,
            metavar="STUDY",
            show_default=False,
            is_eager=True,
            callback=use_study,
        ),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print only the run folder.", rich_help_panel=RUN),
    ] = False
    json: Annotated[
        bool,
        typer.Option("--json", help="Print only the result, as JSON.", rich_help_panel=RUN),
    ] = False

    def given(self) -> dict[str, Any]:
        """Return the options that differ from the defaults, as plain data that repeats a run.

        Where a run is written, and what is printed, is not part of it.
        """
        plain = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        # What a study does not set, or sets otherwise, may be a default of the command.
        all_of_them = self.from_study is not None
        given = {
            name: os.path.realpath(value) if name in PATHS else value
            for name, (value, usual) in plain.items()
            if value != usual or (all_of_them and value is not None)
        }
        return {name: value for name, value in given.items() if name not in OUTPUT}


def flag(name: str) -> str:
    """Return the command-line flag of an option."""
    return f"--{name.replace('_', '-')}"
