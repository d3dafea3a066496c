"""The table of `fruit`, read from its plain CSV file."""

from typing import Any

import pytest
from tests.datasets.tables.fruit import PLAIN, opened


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """Return what the plain CSV file gives."""
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    path.write_text(PLAIN)
    return opened(path)
