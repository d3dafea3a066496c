"""``neuropil export``."""

from pathlib import Path
from typing import Annotated

import typer

from neuropil.cli.command_options import RunFolder, open_trained


def export(
    folder: RunFolder,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file: .onnx for ONNX runtimes, .pt2 for torch.export.load. "
            "Default: network.onnx in the run folder.",
            show_default=False,
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Write a trained network as one .onnx or .pt2 file that other programs can run."""
    run = open_trained(folder)
    from neuropil.cli.console import label, say
    from neuropil.runs.exporting.run_export import export as write

    path = run.path / "network.onnx" if out is None else out
    facts = write(run, path)
    say(str(path))
    label("Inputs", facts["inputs"])
    label("Answers", f"{run.task.answers}: {facts['predicts']}")
