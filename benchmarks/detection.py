"""How good the detectors are that the defaults give, and what they cost.

On blood cells the whole command runs in a process of its own, with each split seed: from
nothing, and from published weights. Then made scenes of digits, for each family of detectors,
eight photographs learnt by heart, and scenes of one digit for localisation. ``--row NAME`` runs
one row. Minutes are of processor time, user and system; memory is the anonymous memory of all
processes.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks.defaults import train
from benchmarks.memory import told
from benchmarks.timing import report
from neuropil import datasets
from neuropil.runs.measure import measure
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.run_folder import Run
from neuropil.runs.tasks import task_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.datasets import Splits

DATA = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
BCCD, PHOTOGRAPHS = DATA / "bccd", DATA / "coco128"
SQUEEZENET = ["--weights", str(DATA / "pretrained" / "squeezenet1_0_imagenet.npz")]
RESNET = ["--weights", str(DATA / "pretrained" / "resnet20_cifar10.npz")]
LONG = ["--epochs", "80", "--freeze", "none"]
COMMANDS = {
    "bccd, from nothing": [],
    "bccd, SqueezeNet": SQUEEZENET,
    "bccd, SqueezeNet, long": [*SQUEEZENET, *LONG],
    "bccd, ResNet-20": RESNET,
    "bccd, Faster R-CNN": ["--network", "faster_rcnn"],
}
REGION_NETWORKS = ("rcnn", "fast_rcnn", "faster_rcnn")
# Number of photographs that are to be learnt by heart.
FEW = 8
Figures = dict[str, float]


def main(json: str | None = None, rounds: int = 3, row: str | None = None) -> None:
    """Train each row; print its figures, with mean and deviation over the seeds."""
    rows: dict[str, Callable[[int], Figures]] = {
        name: lambda seed, options=options: by_command(options, seed)
        for name, options in COMMANDS.items()
    }
    for network in (None, *REGION_NETWORKS):
        rows["digit scenes" if network is None else f"digit scenes, {network}"] = (
            lambda seed, network=network: in_process(
                datasets.make_digit_scenes(seed=seed), seed, network=network
            )
        )
    rows["eight photographs"] = by_heart
    rows["one digit"] = lambda seed: in_process(
        datasets.make_digit_scenes(digits=1, seed=seed), seed, "localisation"
    )
    results: dict[str, list[Figures]] = {}
    for name in rows if row is None else [row]:
        results[name] = []
        for seed in range(rounds):
            results[name].append(rows[name](seed))
            print(f"{name}, seed {seed}   {in_words([results[name][-1]])}", flush=True)
        print(f"{name}, mean of {rounds}   {in_words(results[name])}", flush=True)
    report("detection", results, json)


def in_words(found: list[Figures]) -> str:
    """Return the mean of each figure, with its standard deviation if there are several."""
    parts: list[str] = []
    for name in found[0]:
        values = [figures[name] for figures in found]
        spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
        parts.append(f"{name} {statistics.mean(values):.3f}{spread}")
    return "   ".join(parts)


def by_command(options: list[str], seed: int) -> Figures:
    """Train with the command line, and predict pictures on one thread.

    Raises:
        RuntimeError: If the command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        program = [sys.executable, "-m", "neuropil", "train"]
        given = ["--data", str(BCCD), *options, "--seed", str(seed)]
        command = [*program, *given, "--out", str(run), "--quiet"]
        before = os.times()
        process = subprocess.Popen(command)
        memory = 0
        while process.poll() is None:
            memory = max(memory, sum(told("RssAnon", each) for each in family(process.pid)))
            time.sleep(0.1)
        if process.returncode:
            raise RuntimeError(f"training failed: {' '.join(command)}")
        after = os.times()
        used = after.children_user - before.children_user
        used += after.children_system - before.children_system
        trained = Run.open(run)
        figures = {name: trained.figures["test"][name] for name in ("ap50", "ap", "f1")}
        milliseconds = 1000 * seconds_each(trained)
    costs = {"minutes": used / 60, "GB": memory / 1e9, "ms a picture": milliseconds}
    return figures | costs


def seconds_each(run: Run) -> float:
    """Return the median processor time of a prediction, one picture a time."""
    torch.set_num_threads(1)
    network = run.network()
    files = sorted((BCCD / "JPEGImages").iterdir())[:20]
    seconds: list[float] = []
    for file in files:
        start = time.process_time()
        run.predict(run.read([file]), network)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def in_process(
    splits: Splits, seed: int, name: str = "detection", network: str | None = None
) -> Figures:
    """Train with the defaults of a task, perhaps with a network by name."""
    start = time.process_time()
    task = task_for(splits.target, name, splits.train.targets)
    own = None if network is None else task.named_network(network, splits.input_shape)
    made = recipe(splits, task, own)
    made.network.reset_parameters(torch.Generator().manual_seed(seed))
    task = task.adapt_to(made.network)
    train(splits, task, made, seed)
    minutes = (time.process_time() - start) / 60
    measured = splits.test or splits.train
    start = time.process_time()
    figures = measure(made.network, measured, task)
    milliseconds = 1000 * (time.process_time() - start) / len(measured)
    shown = {metric.name: figures[metric.name] for metric in task.metrics()[:3]}
    return {name: value for name, value in shown.items() if value is not None} | {
        "epochs": made.epochs,
        "minutes": minutes,
        "ms a picture": milliseconds,
    }


def by_heart(seed: int) -> Figures:
    """Train on a few photographs, and find their boxes again."""
    with tempfile.TemporaryDirectory() as folder:
        for kind, suffix in (("images", ".jpg"), ("labels", ".txt")):
            (Path(folder) / kind).mkdir()
            labels = sorted((PHOTOGRAPHS / "labels" / "train2017").glob("*.txt"))[:FEW]
            for label in labels:
                name = label.with_suffix(suffix).name
                shutil.copy(PHOTOGRAPHS / kind / "train2017" / name, Path(folder) / kind)
        splits = datasets.open(folder, validation=0, test=0)
        return in_process(splits, seed)


def family(process: int) -> list[int]:
    """Return a process and all that it has started."""
    path = Path(f"/proc/{process}/task/{process}/children")
    try:
        children = [int(each) for each in path.read_text().split()]
    except OSError:
        children = []
    return [process, *(each for child in children for each in family(child))]
