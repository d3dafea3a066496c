"""What the command line makes of a file."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("NEUROPIL_DATA", "../shared/data")).parent / "cases"
EPOCHS = 20


@dataclass
class Outcome:
    """What `neuropil train` made of a file."""

    code: int
    text: str
    run: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        return self.facts["data"]

    @property
    def notes(self) -> str:
        return "\n".join(self.data["notes"])

    @property
    def columns(self) -> list[str]:
        return [column["name"] for column in self.data["preparation"]["columns"]]

    @property
    def classes(self) -> list[str]:
        """The classes, none for numbers."""
        return self.data["preparation"]["target"].get("classes", [])

    @property
    def error(self) -> str:
        """The line of error, or nothing."""
        errors = [line for line in self.text.splitlines() if line.startswith("error: ")]
        return errors[0].replace(f"{FOLDER}/", "") if self.code and len(errors) == 1 else ""

    def figure(self, name: str, part: str = "test") -> float:
        value = self.facts["figures"].get(part, {}).get(name)
        return math.nan if value is None else value

    def predict(self, file: str) -> list[Any]:
        """Return what `neuropil predict --json` gives."""
        text = self.predict_text(file, "--json")
        return json.loads(text[text.index("[") :])

    def predict_text(self, file: str, *options: str) -> str:
        """Return what `neuropil predict` prints."""
        return call("predict", self.run, FOLDER / file, *options)[1]

    def shown(self) -> str:
        """Return what came, in a few words."""
        if self.code:
            return self.error or f"exit code {self.code}: {self.text[-200:]!r}"
        figures = ((name, self.figure(name)) for name in ("accuracy", "r2"))
        shown = [f"{name} {value:.3f}" for name, value in figures if not math.isnan(value)]
        classes = self.classes
        some = " ".join(classes[:4]).replace("\n", "⏎") + (" …" if len(classes) > 4 else "")
        return ", ".join([*shown, *([some] if classes else [])])


def call(*arguments: object) -> tuple[int, str]:
    """Return the exit code of a command and what it printed."""
    from neuropil.cli import main

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main([str(argument) for argument in arguments])
    return code, out.getvalue()


def train(path: Path, folder: Path, *options: str) -> Outcome:
    """Return what `neuropil train` makes of a file or folder; the run lies in `folder`."""
    run = folder / f"run{len(list(folder.iterdir()))}"
    command = ["train", "--data", path, "--epochs", EPOCHS, "--threads", 1, "--out", run]
    code, text = call(*command, *options)
    facts = json.loads((run / "run.json").read_text()) if code == 0 else {}
    return Outcome(code, text, run, facts)
