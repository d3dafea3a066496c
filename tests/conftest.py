"""What every test shares: a fixed seed, and the folder of real data."""

import gc
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from neuropil.core.free_memory import keep_freed_memory

if TYPE_CHECKING:
    from tests.postgres import Server

SEED = 0
# Hypothesis draws the same examples in every run, remembers none, and holds no test to a time.
settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.load_profile("same")


def seed_everything() -> None:
    """Seed the generators of Python, NumPy and torch, if a test has loaded them."""
    random.seed(SEED)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(SEED)
    if torch := sys.modules.get("torch"):
        # Not `torch.manual_seed`, which takes 0.1 ms and keeps a traceback for later devices.
        torch.default_generator.manual_seed(SEED)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(SEED)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Give every test the same draws, whatever ran before it."""
    seed_everything()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> None:
    """Seed what several tests share too: it is made before the fixture of the first of them."""
    if fixturedef.scope != "function":
        seed_everything()


# The system's giving and clearing of pages took a tenth of the time. Larger tensors are given
# back, since the processes of the tests share the memory.
keep_freed_memory(end=2**29, block=2**27)

# Nearly all that is made while modules are imported and tests are found stays to the end.
gc.disable()


def pytest_collection_finish() -> None:
    """Leave what modules hold out of garbage collections, which took a tenth of the time."""
    gc.freeze()
    gc.enable()
    seed_no_absent_devices()


def seed_no_absent_devices() -> None:
    """Have `torch.manual_seed` keep no tracebacks for devices that never come: 1 ms a call."""
    if torch := sys.modules.get("torch"):
        for device in (torch.cuda, torch.xpu, torch.mtia):
            if not device.is_available():
                device.manual_seed_all = lambda seed: None


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put what the library keeps in the user's cache folder into a folder of the tests."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real data sets, or skip where it is absent."""
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder}; set NEUROPIL_DATA")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator["Server"]:
    """Run a PostgreSQL server, or skip where there is none."""
    from tests.postgres import running_server

    with running_server() as server:
        yield server
