"""``neuropil summary``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuropil.cli.command_options import Json

if TYPE_CHECKING:
    from torch import nn


def summary(
    network: Annotated[
        str,
        typer.Argument(
            help="Name of an architecture, an expression, a run or network folder, a "
            "network.json file, or FILE.py:NAME for a PyTorch module, or a class or function "
            "that makes one; the file is run.",
            metavar="NETWORK|RUN",
        ),
    ],
    input_shape: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Shape of one example, such as 1,28,28, if the network has no Input.",
            show_default=False,
            metavar="SHAPE",
        ),
    ] = None,
    outputs: Annotated[
        int | None,
        typer.Option(
            help="Number of outputs of a named architecture. Default: as published.",
            show_default=False,
        ),
    ] = None,
    depth: Annotated[
        int, typer.Option(min=0, help="Number of levels to show inside blocks.")
    ] = 0,
    *,
    json: Json = False,
) -> None:
    """Show a network's layers: shapes, parameters, cost, receptive field, memory."""
    from neuropil.analysis import summary as analysed
    from neuropil.cli.console import console, note, say, say_json
    from neuropil.cli.network_argument import path_exists, structure
    from neuropil.cli.python_file import is_python_file, module_in_file
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.run_facts import MODEL

    if path_exists(Path(network) / MODEL):
        say(repr(ClassicModel.load(network)))
        return
    shape = None if input_shape is None else parse_shape(input_shape)
    if is_python_file(network):
        table = analysed(built(module_in_file(network), shape), shape, depth=depth)
    else:
        found, notes = structure(network, shape, outputs)
        note(*notes)
        table = analysed(found, shape, depth=depth)
    if json:
        say_json(table.to_dict())
        return
    terminal = console()
    say(table.text(terminal.width if terminal.is_terminal else 120))


def built(module: "nn.Module", shape: tuple[int, ...] | None) -> "nn.Module":
    """Return a module whose lazy parameters have shapes, if the shape of its input is known."""
    import torch
    from torch.nn.parameter import is_lazy

    if shape is not None and any(map(is_lazy, module.parameters())):
        with torch.no_grad():
            module.eval()(torch.zeros(1, *shape))
    return module


def parse_shape(text: str) -> tuple[int, ...]:
    """Return ``"1,28,28"`` as (1, 28, 28).

    Raises:
        ValueError: When the text is not a shape.
    """
    parts = text.strip("() ").replace("x", ",").replace("×", ",").split(",")
    lengths = [part.strip() for part in parts if part.strip()]
    if not lengths or not all(part.isdecimal() and int(part) > 0 for part in lengths):
        raise ValueError(
            f"--input must be a shape without the batch axis, such as 1,28,28, got {text!r}."
        )
    return tuple(map(int, lengths))
