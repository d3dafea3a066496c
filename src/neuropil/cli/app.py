"""The Typer application: all commands, and the options that they have in common."""

from typing import Annotated

import typer

from neuropil import __version__
from neuropil.cli.commands.architectures import architectures
from neuropil.cli.commands.calculate import calculate
from neuropil.cli.commands.compare import compare
from neuropil.cli.commands.evaluate import evaluate
from neuropil.cli.commands.export import export
from neuropil.cli.commands.predict import predict
from neuropil.cli.commands.report import report
from neuropil.cli.commands.resume import resume
from neuropil.cli.commands.sheet import sheet
from neuropil.cli.commands.study import study
from neuropil.cli.commands.summary import summary
from neuropil.cli.commands.train import train
from neuropil.cli.terminal.interruption import interruptible

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it
    """Print the version and exit.

    Raises:
        Exit: Always.
    """
    if wanted:
        typer.echo(f"neuropil {__version__}")
        raise typer.Exit


@app.callback(epilog="Start with: neuropil train")
def neuropil(
    *,
    version: Annotated[  # handled by its callback
        bool,
        typer.Option(
            "--version", callback=show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    debug: Annotated[  # handled by `main`; declared here for the help
        bool, typer.Option("--debug", help="Show the full traceback if an error occurs.")
    ] = False,
) -> None:
    """The neural-network cheat sheet as working software."""


for command in (
    train, resume, report, evaluate, predict, compare, study, export, summary, calculate, sheet,
    architectures,
):  # fmt: skip
    app.command()(interruptible(command))
