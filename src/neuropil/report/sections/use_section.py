"""The section on how to use the network: exact commands, and a few lines of Python."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from neuropil.core import Network
from neuropil.datasets.formats import example_file
from neuropil.report.page import Section

if TYPE_CHECKING:
    from neuropil.report.sections.base import TaskPages
    from neuropil.report.subject import Subject


def use_section(subject: Subject, task: TaskPages) -> Section:
    """Return the commands and the Python code that use the network."""
    folder = shlex.quote(subject.run)
    file = example_file(subject.splits.kind, subject.splits.source)
    answer, holds = task.answer(subject)
    commands = {
        f"neuropil predict {folder} {file}": "predict new files",
        f"neuropil evaluate {folder} --data PATH": "measure it on other labelled data",
        f"neuropil summary {folder}": "show the network layer by layer",
    }
    if isinstance(subject.network, Network):  # a classic one has no form for other programs
        commands[f"neuropil export {folder}"] = "write it as an .onnx file for other programs"
    return Section(
        "use",
        takes=subject.data.takes,
        commands=commands,
        run=repr(subject.run),
        file=repr(file),
        answer=answer,
        holds=holds,
    )
