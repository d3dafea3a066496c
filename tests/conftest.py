"""What every test may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real data sets, or skip where it is absent."""
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder}; set NEUROPIL_DATA")
    return folder
