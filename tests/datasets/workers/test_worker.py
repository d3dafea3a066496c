"""Worker processes, and what becomes of them when they or the main process end."""

import gc
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from neuropil.datasets import DataError, Dataset
from neuropil.datasets.loading import BatchLoader, default_workers
from neuropil.datasets.workers import worker

BATCHES = [[0, 1], [2], [3, 4], [5]] * 3
DATA = Dataset(torch.arange(6.0).reshape(6, 1))

START = """
import multiprocessing, os, signal, torch
from neuropil.datasets import Dataset
from neuropil.datasets.loading import BatchLoader

loader = BatchLoader([Dataset(torch.ones(6, 1))], 2)
batches = loader.load([[0, 1]] * 9)
next(batches)
for process in multiprocessing.active_children():
    print(process.pid, flush=True)
"""


# As on systems without fork: a new process imports what it is sent.
SPAWN = """
import multiprocessing
from neuropil.datasets import Dataset
from neuropil.datasets.loading import BatchLoader

class Own(Dataset):
    pass

def load(kind):
    next(BatchLoader([kind([[0.0], [1.0]])], 1).load([[0, 1]]))

multiprocessing.set_start_method("spawn")
"""


@pytest.fixture
def started():
    """A function that returns the processes started since the test began."""
    gc.collect()
    before = set(multiprocessing.active_children())
    return lambda: [each for each in multiprocessing.active_children() if each not in before]


def values(batches):
    return [batch.inputs.flatten().tolist() for batch in batches]


def test_a_worker_that_is_killed_is_an_error(started):
    loader = BatchLoader([DATA], 2)
    batches = loader.load(BATCHES)
    next(batches)
    os.kill(started()[0].pid, signal.SIGKILL)
    with pytest.raises(DataError, match="was ended from outside, perhaps because memory ran"):
        list(batches)
    loader.close()
    assert started() == []


def test_workers_leave_signals_to_the_main_process(started):
    loader = BatchLoader([DATA], 2)
    batches = loader.load(BATCHES)
    found = [next(batches), next(batches)]  # both workers have begun
    for process in started():
        os.kill(process.pid, signal.SIGTERM)
        os.kill(process.pid, signal.SIGINT)
    assert values([*found, *batches]) == BATCHES
    loader.close()
    assert started() == []


def test_loaders_end_in_any_order(started):
    """A later worker inherits the connections of an earlier one, and must not keep it alive."""
    loaders = [BatchLoader([DATA], 1) for _ in range(2)]
    for loader in loaders:
        next(loader.load(BATCHES))
    processes = started()
    for loader in loaders:
        loader.close()
    assert [process.exitcode for process in processes] == [0, 0], "none had to be killed"


@pytest.mark.parametrize(
    ("end", "code"), [("raise SystemExit(3)", 3), ("os.kill(os.getpid(), signal.SIGKILL)", -9)]
)
def test_workers_end_with_their_program(end, code):
    command = [sys.executable, "-c", START + end]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    workers = [Path(f"/proc/{pid}") for pid in done.stdout.split()]
    assert len(workers) == 2
    for _ in range(100):
        if not any(worker.exists() for worker in workers):
            break
        time.sleep(0.1)
    assert not any(worker.exists() for worker in workers)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Own", "ended with the error above: put the training under if __name__"),
        ("type('Local', (Dataset,), {})", "cannot be sent to another process .*Local"),
    ],
)
def test_data_that_a_new_process_cannot_import_are_an_error(data, message):
    command = [sys.executable, "-c", f"{SPAWN}load({data})"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.search(message, done.stderr.splitlines()[-1])


@pytest.mark.parametrize("stuck", [1, 3])
def test_a_fork_that_hangs_at_its_start_is_tried_again(stuck, monkeypatch, tmp_path, started):
    monkeypatch.setattr(worker, "START", 0.5)
    usual = worker.work

    def work(*arguments):
        before = len(list(tmp_path.iterdir()))
        (tmp_path / str(before)).touch()
        if before < stuck:
            time.sleep(600)
        usual(*arguments)

    monkeypatch.setattr(worker, "work", work)
    loader = BatchLoader([DATA], 1)
    if stuck == worker.STARTS:
        with pytest.raises(DataError, match="does not start: use workers=0"):
            list(loader.load(BATCHES))
    else:
        assert values(loader.load(BATCHES)) == BATCHES
    loader.close()
    assert started() == []


def test_a_process_of_a_pool_loads_by_itself():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(default_workers) == 0
