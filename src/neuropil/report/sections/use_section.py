"""How to use the result: exact commands, and a few lines of Python."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from neuropil.datasets.formats import example_file
from neuropil.report.html import Html, element

if TYPE_CHECKING:
    from neuropil.report.subject import Subject


def use(subject: Subject) -> Html:
    """Return the commands and the Python that take the result further."""
    run, kind = subject.run, subject.splits.kind
    file = example_file(kind)
    folder = shlex.quote(run)
    commands = {
        f"neuropil predict {folder} {file}": "predict for new files",
        f"neuropil evaluate {folder} --data PATH": "measure it on other labelled data",
        f"neuropil summary {folder}": "see the network layer by layer",
    }
    widest = max(map(len, commands))
    lines = "\n".join(f"{line:{widest}}  # {why}" for line, why in commands.items())
    result = "probabilities" if subject.evidence.classes is not None else "predictions"
    python = "\n".join(
        (
            "from neuropil.runs.run_folder import Run",
            f"run = Run.open({run!r})",
            f"inputs = run.read([{file!r}])",
            f"{result} = run.predict(inputs.inputs)  # {result_words(subject)}",
        )
    )
    return element(
        "section",
        element("h2", "How to use it"),
        element("p", takes(subject)),
        element("h3", "From the command line"),
        element("pre", element("code", lines)),
        element("h3", "From Python"),
        element("pre", element("code", python)),
        id="use",
    )


def result_words(subject: Subject) -> str:
    """Return what a prediction holds."""
    classes = subject.evidence.classes
    if classes is None:
        shape = "(N)" if subject.splits.outputs == 1 else f"(N, {subject.splits.outputs})"
        return f"{shape}: {subject.target} in its own units"
    return f"(N, {len(classes)}): a column for each of run.classes"


def takes(subject: Subject) -> str:
    """Return what input the network takes, in words."""
    shape = subject.splits.input_shape
    if subject.splits.kind == "pictures":
        channels, height, width = shape
        color = "grey" if channels == 1 else "colour"
        return (
            f"It takes {color} pictures of {width} × {height} pixels; other sizes are resized, "
            f"and it says so. Show it what it learned from: the same framing and background."
        )
    if subject.splits.kind == "table":
        target = subject.splits.preparation.target.name
        return (
            "It takes tables with the same column names as the training table; "
            f"“{target}” may be absent."
        )
    sizes = " × ".join(map(str, shape))
    return f"It takes arrays of {sizes} numbers an example, the examples along axis 0."
