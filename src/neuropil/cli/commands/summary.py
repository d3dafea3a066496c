"""``neuropil summary``."""

from pathlib import Path
from typing import Annotated

import typer

from neuropil.cli.command_options import Json


def summary(
    network: Annotated[
        str,
        typer.Argument(
            help="An architecture's name, an expression, a run or network folder, or a "
            "network.json.",
            metavar="NETWORK|RUN",
        ),
    ],
    input_shape: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Shape of an example, such as 1,28,28, where the network does not say.",
            show_default=False,
            metavar="SHAPE",
        ),
    ] = None,
    outputs: Annotated[
        int | None,
        typer.Option(
            help="Outputs, for an architecture given by its name. Default: its own.",
            show_default=False,
        ),
    ] = None,
    depth: Annotated[
        int, typer.Option(min=0, help="How many levels inside blocks are shown.")
    ] = 0,
    *,
    json: Json = False,
) -> None:
    """Show a network's layers: shapes, parameters, cost, receptive field, memory."""
    from neuropil.analysis import summary as analysed
    from neuropil.cli.console import console, note, say, say_json
    from neuropil.cli.network_argument import is_there, structure
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.run_facts import MODEL

    if is_there(Path(network) / MODEL):
        say(repr(ClassicModel.load(network)))
        return
    shape = None if input_shape is None else parsed_shape(input_shape)
    found, notes = structure(network, shape, outputs)
    for line in notes:
        note(line)
    table = analysed(found, shape, depth=depth)
    if json:
        say_json(table.to_dict())
        return
    terminal = console()
    say(table.text(terminal.width if terminal.is_terminal else 120))


def parsed_shape(text: str) -> tuple[int, ...]:
    """Return ``"1,28,28"`` as (1, 28, 28).

    Raises:
        ValueError: When it is no shape.
    """
    parts = text.strip("() ").replace("x", ",").replace("×", ",").split(",")
    lengths = [part.strip() for part in parts if part.strip()]
    if not lengths or not all(part.isdecimal() and int(part) > 0 for part in lengths):
        raise ValueError(
            f"--input is a shape without the batch, such as 1,28,28, got {text!r}."
        )
    return tuple(map(int, lengths))
