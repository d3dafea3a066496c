"""A small study: points that a line does not divide, networks of a few units."""

import json
import subprocess
import sys

import numpy as np

from neuropil import datasets
from neuropil.layers import Input, Relu, Softmax
from neuropil.runs.recipes.recipe import Recipe
from neuropil.study.run_study import run
from neuropil.study.study_watch import StudyWatch

TRICKS = [
    "tanh",
    "half_width",
    "half_of_the_examples",
    "quarter_of_the_examples",
    "label_noise_10",
]


def blobs(rows=700, seed=0):
    """Two classes of points that a line does not divide."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    y = np.where((x**2).sum(1) > 1.4, "out", "in")
    return datasets.open({"a": x[:, 0], "b": x[:, 1], "y": y}, test=0.4)


def recipe(**changes):
    network = changes.pop("network", None) or Input(2) >> Relu(6) >> Relu(6) >> Softmax(2)
    options = {
        "optimizer": "adamw", "lr": 0.02, "weight_decay": 0.01, "schedule": None, "epochs": 2,
        "batch_size": 32,
    }  # fmt: skip
    return Recipe(network, **options | changes)


def study(folder, data=None, **options):
    given = {"tricks": TRICKS, "seeds": 3, "budget": 60, "threads": 1, "recipe": recipe()}
    return run(data or blobs(), out=folder, **given | options)


def without_times(found):
    """Return results without all that depends on the clock."""
    plain = json.loads(json.dumps(found))
    del plain["study"]["seconds"]
    for each in (plain["baseline"], *plain["variants"], plain["together"]):
        if each:
            del each["seconds"]
    plain["recommendation"] = [line.split(", ")[0] for line in plain["recommendation"]]
    return plain


class Interrupts(StudyWatch):
    """Interrupts a study before its n-th training."""

    def __init__(self, after):
        self.left = after

    def on_run(self, find, name, seed):
        find()
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


WORKER = """
import json
import sys
from neuropil.study import study_worker as worker
worker.LEASE_SECONDS, worker.SHORT = 3.0, 0.0
from tests.study.small_studies import study
study(sys.argv[1], **json.loads(sys.argv[2]))
"""


def begin(folder, **options):
    """Start a worker of a study in a process of its own."""
    given = [str(folder), json.dumps(options)]
    return subprocess.Popen([sys.executable, "-c", WORKER, *given])
