"""Commands that two processes carry out together for `test_process_group`; saves their output.

The two are forks of this process, so that PyTorch is imported once for all. Each command leaves
the folder NAME with what each process printed, ``out0`` to ``err1``, and its exit status.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path

import neuropil.report
from neuropil.cli import main, plan, training_run
from neuropil.training import Callback

NETWORK = "Relu(8) >> BatchNorm() >> Tanh(8) >> Softmax(2)"
TRAIN = ["train", "--data", "table.csv", "--epochs", "4", "--network", NETWORK, "--seed", "1"]
# A step in the middle of the second epoch.
MIDDLE = 10
assert training_run  # imported once, before the forks


class Event(Callback):
    """Something that happens to the second process in the middle of a training."""

    def __init__(self, event: str) -> None:
        self.event = event

    def on_step(self, trainer):
        if trainer.steps != MIDDLE:
            return
        second = trainer.learner.processes.rank == 1
        if second and self.event == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif second and self.event == "failed":
            raise ValueError("the second process found an error.")


def write_report(path: Path, *_: object, **__: object) -> None:
    """Write a report that says nothing; a real one takes seconds."""
    path.write_text("<html></html>")


def command(arguments: list[str], folder: Path, event: str) -> int:
    """Run a command in this process, with its output in files."""
    rank = os.environ.get("RANK", "0")
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / f"{name}{rank}", os.O_WRONLY | os.O_CREAT), number)
    trainer_of = plan.trainer

    def trainer(*given):
        made = trainer_of(*given)
        made.callbacks.append(Event(event))
        # So that a checkpoint of the first epoch is there, however slow the machine is.
        made.options = made.options.__class__(**vars(made.options) | {"checkpoint_every": 7})
        return made

    plan.trainer = trainer
    return main(arguments)


def together(name: str, arguments: list[str], event: str = "") -> None:
    """Run a command in two processes, and save their exit codes: negative after a signal."""
    sys.path.insert(0, str(Path(__file__).parents[1]))  # not where pytest imports this file
    from group_of_two import fork_two

    folder = Path(name)
    folder.mkdir()
    statuses = fork_two(lambda: command(arguments, folder, event))
    codes = [os.waitstatus_to_exitcode(status) for status in statuses]
    (folder / "codes.json").write_text(json.dumps(codes))


def write_table() -> None:
    """Write a table with two classes that numbers and words tell apart, mostly."""
    draw = random.Random(0)
    rows = [
        f"{draw.gauss(0, 1):.4f},{draw.gauss(0, 1):.4f},{draw.choice('uv')},"
        f"{'high' if draw.random() < 0.5 else 'low'}"
        for _ in range(300)
    ]
    Path("table.csv").write_text("\n".join(["a,b,c,y", *rows, ""]))


def run_all() -> None:
    write_table()
    neuropil.report.write_report = write_report
    assert main([*TRAIN, "--out", "single", "--quiet"]) == 0
    together("trained", [*TRAIN, "--out", "run"])
    together("exists", [*TRAIN, "--out", "run"])
    together("predicted", ["predict", "run", "table.csv"])
    together("failed", [*TRAIN, "--out", "failed-run"], "failed")
    together("killed", [*TRAIN, "--out", "killed-run"], "killed")
    together("resumed", ["resume", "killed-run", "--quiet"])


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    run_all()
