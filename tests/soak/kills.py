"""Runs that are killed and resumed; started by `test_kills` in a process of its own.

Each life of a run is a forked child that calls the
command line; it is killed at a drawn moment, or kills itself before a file takes its place.
What resuming leaves is compared, bit by bit, with a run that nobody killed. Prints a line for
each kill that made a difference, and how many did not.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import neuropil.cli.finish
import neuropil.report
from neuropil.cli import classic_training, main, plan
from neuropil.cli.commands import resume
from neuropil.core.atomic import replacing
from neuropil.layers import Input, Relu, Softmax
from neuropil.runs.run_folder import Run
from neuropil.training import Trainer

IMPORTED = (classic_training, plan, resume)
COMMON = ["--threads", "1", "--quiet", "--seed", "3"]
KINDS = {
    "digits": ["--epochs", "3"],
    "classification": ["--data", "table.csv", "--epochs", "12"],
    "regression": ["--data", "numbers.csv", "--epochs", "12"],
    "levenberg_marquardt": [
        "--data", "numbers.csv", "--optimizer", "levenberg_marquardt", "--epochs", "12",
    ],
    "sofm": ["--data", "table.csv", "--network", "sofm(grid=(8, 8))"],
    "tuned": ["--data", "table.csv", "--network", "saved", "--epochs", "12"],
    "then": [
        "--data", "bars", "--epochs", "3", "--then", "12:3",
        "--network", "Convolution(4, 3) >> Relu() >> GlobalPooling() >> Softmax(2)",
    ],
}  # fmt: skip


def make_data() -> None:
    """Write the data and the network that the runs begin with into this folder."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 5)).round(3)
    answer = x[:, 0] * x[:, 1] + 0.5 * x[:, 2]
    rows = [",".join(map(str, row)) for row in x]
    names = ["low" if value < 0 else "high" for value in answer]
    for file, targets in (("table.csv", names), ("numbers.csv", (100 + 10 * answer).round(4))):
        lines = [f"{row},{target}" for row, target in zip(rows, targets, strict=True)]
        Path(file).write_text("\n".join(["a,b,c,d,e,target", *lines, ""]))
    torch.manual_seed(0)
    # A small last layer: where its weights begin in the file decides how its sums are rounded.
    (Input(5) >> Relu(21) >> Relu(7) >> Softmax(2)).save("saved")
    for name in ("lying", "standing"):
        Path("bars", name).mkdir(parents=True)
        for number in range(30):
            pixels = draw.integers(0, 90, (8, 8)).astype(np.uint8)
            pixels[number % 8] = 250
            picture = pixels if name == "lying" else pixels.T
            Image.fromarray(picture).save(Path("bars", name, f"{number:02}.png"))


def living(arguments: list[str], prepare=None) -> int:
    """Return the process number of a child that calls the command line."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.dup2(os.open("log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os.dup2(2, 1)
        if prepare is not None:
            prepare()
        os._exit(main(arguments))
    return child


def end_of(child: int) -> int:
    """Return how a child ended: its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def command(kind: str, out: str) -> list[str]:
    return ["train", *KINDS[kind], *COMMON, "--out", out]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_before(file: str, count: int):
    """Return what makes a process die before the count-th time that a file takes its place."""

    def prepare() -> None:
        replace, seen = Path.replace, collections.Counter()

        def dying(self: Path, target: Path) -> Path:
            if Path(target).match(file):
                seen[file] += 1
                if seen[file] == count:
                    die()
            return replace(self, target)

        Path.replace = dying

    return prepare


def dying_within(module, name: str, seconds: float):
    """Return what makes a process die so many seconds after a function was entered."""

    def prepare() -> None:
        function = getattr(module, name)

        def dying(*arguments, **options):
            timer = threading.Timer(seconds, die)
            timer.daemon = True
            timer.start()
            return function(*arguments, **options)

        setattr(module, name, dying)

    return prepare


def noting(file: str, begin: tuple, end: tuple, *, whole: bool):
    """Return what makes a process write down the seconds from one function to another."""

    def prepare() -> None:
        since = [0.0]

        def wrapped(place: tuple, action):
            module, name = place
            function = getattr(module, name)
            setattr(module, name, lambda *a, **o: action(function, *a, **o))

        def first(function, *arguments, **options):
            since[0] = since[0] or time.perf_counter()
            result = function(*arguments, **options)
            if whole:
                Path(file).write_text(str(time.perf_counter() - since[0]))
            return result

        def last(function, *arguments, **options):
            if since[0]:
                Path(file).write_text(str(time.perf_counter() - since[0]))
            return function(*arguments, **options)

        wrapped(begin, first)
        if not whole:
            wrapped(end, last)

    return prepare


REPORT = (neuropil.report, "write_report")
# From the last word on the first part to the first step of the second.
JOIN = ((neuropil.cli.finish, "conclude"), (Trainer, "fit"))


def folders(kind: str, out: str) -> list[Path]:
    return [Path(out), *([Path(f"{out}-first")] if kind == "then" else [])]


def outcome(kind: str, out: str) -> dict:
    """Return all that must be the same of a run."""
    found = {}
    for folder in folders(kind, out):
        run = Run.open(folder)
        network = run.network()
        inputs = torch.linspace(-2, 2, 10 * int(np.prod(run.preparation.input_shape)))
        inputs = inputs.reshape(10, *run.preparation.input_shape)
        weights = folder / "weights.safetensors"
        found[folder.name.removeprefix(out)] = {
            "status": run.status,
            "report": run.report.is_file(),
            "figures": json.dumps(run.figures),
            "history": [{k: v for k, v in r.items() if k != "seconds"} for r in run.history()],
            "weights": weights.read_bytes() if weights.is_file() else b"",
            "answers": network.predict(inputs).numpy().tobytes(),
            "left behind": [path.name for path in folder.rglob(".*")],
        }
    return found


def continued(kind: str, out: str) -> int:
    """Resume a run that was killed, or begin it again where nothing of it is left."""
    begun = any((folder / "run.json").is_file() for folder in folders(kind, out))
    return end_of(living(["resume", out, "--quiet"] if begun else command(kind, out)))


def whole_run(kind: str) -> None:
    """Make the run that nobody kills, in this process: its children have all it imported."""
    with Path("log").open("w") as log, contextlib.redirect_stdout(log):
        code = main(command(kind, f"{kind}-whole"))
    if code:
        sys.exit(f"{kind} fails: {Path('log').read_text()}")


def seconds_of(kind: str) -> float:
    """Return the seconds that a run takes."""
    start = time.perf_counter()
    end_of(living(command(kind, "trial")))
    remove(kind, "trial")
    return time.perf_counter() - start


def remove(kind: str, out: str) -> None:
    for folder in folders(kind, out):
        shutil.rmtree(folder, ignore_errors=True)


def measured(kind: str, prepare) -> float:
    """Return the seconds that a part of a run takes."""
    end_of(living(command(kind, "trial"), prepare))
    remove(kind, "trial")
    return float(Path("seconds").read_text())


def killed(kind: str, out: str, moment) -> bool:
    """Kill a run at a moment and return whether it was alive until then."""
    if callable(moment):
        return end_of(living(command(kind, out), moment)) == -signal.SIGKILL
    child = living(command(kind, out))
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    return end_of(child) == -signal.SIGKILL


def differences(whole: dict, other: dict) -> str:
    """Return what differs between two outcomes, nothing if they are the same."""
    names = [(part, name) for part in whole for name in whole[part]]
    return "; ".join(f"{p} {n}" for p, n in names if whole[p][n] != other[p][n])


class Tally:
    """Kills runs and counts what came of it."""

    def __init__(self) -> None:
        self.kills: collections.Counter[str] = collections.Counter()
        self.bad = 0
        self.whole: dict[str, dict] = {}

    def kill(self, kind: str, where: str, moment, *, retry=None) -> None:
        """Kill a run, resume it and compare; a run that was faster gets an earlier moment."""
        out = f"{kind}-{where}-{self.kills.total()}"
        while not killed(kind, out, moment):
            remove(kind, out)
            if retry is None:
                sys.exit(f"{kind}: it should have died at {where}")
            moment = retry()
        self.kills[where] += 1
        code = continued(kind, out)
        said = "" if code == 0 else f"exit code {code}: {Path('log').read_text()}"
        if not said:
            whole = self.whole.setdefault(kind, outcome(kind, f"{kind}-whole"))
            said = differences(whole, outcome(kind, out))
        if said:
            self.bad += 1
            sys.stdout.write(f"{kind} killed at {where} ({moment}): {said}\n")
        remove(kind, out)


def short(tally: Tally) -> None:
    """Kill runs before single files take their places."""
    for kind, points in {
        "tuned": [("weights.*", 1), ("step-*.pt", 1), ("history.csv", 1), ("report.html", 1)],
        "sofm": [("run.json", 1), ("run.json", 3)],
        "then": [("run.json", 4), ("run.json", 5)],
    }.items():
        whole_run(kind)
        for file, count in points:
            tally.kill(kind, f"{file} {count}", dying_before(file, count))


def uniform(tally: Tally, kills: int) -> None:
    """Kill runs at drawn moments: of their whole duration, in the report, in the join."""
    draw = random.Random(kills)
    special = max(1, kills // 7)
    for kind in KINDS:
        whole_run(kind)
    seconds = {kind: seconds_of(kind) for kind in KINDS}
    report = {k: measured(k, noting("seconds", REPORT, REPORT, whole=True)) for k in KINDS}
    join = measured("then", noting("seconds", *JOIN, whole=False))
    sys.stdout.write(f"seconds: {seconds}\nin the report: {report}\nin the join: {join}\n")
    draws = {
        "report": lambda kind: dying_within(*REPORT, draw.random() * report[kind]),
        "join": lambda _: dying_within(*JOIN[0], draw.random() * join),
        "any time": lambda kind: draw.random() * seconds[kind],
    }
    kinds = [kind for kind in KINDS if kind != "then"]
    for number in range(kills):
        where = "report" if number < special else "join" if number < 2 * special else "any time"
        kind = "then" if where == "join" else kinds[number % len(kinds)]
        drawn = functools.partial(draws[where], kind)
        tally.kill(kind, where, drawn(), retry=drawn)


def quick_report(path: Path, *_: object, **__: object) -> None:
    """Write a report that says nothing."""
    with replacing(Path(path)) as file:
        file.write(b"<html></html>")


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    make_data()
    result = Tally()
    if sys.argv[2] == "short":
        neuropil.report.write_report = quick_report
        short(result)
    else:
        uniform(result, int(sys.argv[2]))
    total = result.kills.total()
    sys.stdout.write(f"{dict(result.kills)}\n{total - result.bad} of {total} are the same\n")
    sys.exit(result.bad > 0)
