"""Places for galleries: a SQLite file, and an empty database of a PostgreSQL server."""

import pytest


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.extended)])
def place(request, tmp_path, monkeypatch):
    """A database that is empty or does not exist."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if request.param == "sqlite":
        return str(tmp_path / "people.db")
    return request.getfixturevalue("postgres").empty_database()
