"""Databases that can be used, and one line for each that cannot."""

import sqlite3
import sys
import threading
from contextlib import closing, nullcontext
from pathlib import Path
from socket import create_server

import pytest
import sqlalchemy as sa

from neuropil.cli.error_line import explain
from neuropil.store import StoreError, database, database_url, open_store

NOTES = sa.Table("notes", sa.MetaData(), sa.Column("note", sa.Text))
EXTENDED = pytest.mark.extended


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=EXTENDED)])
def place(request, tmp_path):
    """A database that is empty or does not exist."""
    if request.param == "sqlite":
        return str(tmp_path / "notes.db")
    return request.getfixturevalue("postgres").empty_database()


def open_notes(place, kind="notebook", format_number=1):
    return open_store(place, kind=kind, format_number=format_number, tables=NOTES.metadata)


def write_note(store, note):
    store.write(lambda connection: connection.execute(sa.insert(NOTES).values(note=note)))


def notes(store):
    return store.read(lambda c: list(c.scalars(sa.select(NOTES.c.note).order_by("note"))))


def refusal(place, **identity):
    """Return the one line that the command line shows for a database."""
    with pytest.raises((ValueError, OSError, ModuleNotFoundError)) as caught:
        open_notes(place, **identity)
    line = explain(caught.value)
    assert line is not None
    assert "\n" not in line
    assert "secret" not in line
    assert "NEUROPIL_DEBUG" not in line
    return line


def test_what_was_written_is_read_by_the_next_to_open_it(place):
    write_note(open_notes(place), "γ = 1")
    assert notes(open_notes(place)) == ["γ = 1"]


def test_a_path_and_a_url_name_the_same_file(tmp_path):
    write_note(open_notes(tmp_path / "a.db"), "one")
    assert notes(open_notes(f"sqlite:///{tmp_path}/a.db")) == ["one"]
    assert notes(open_notes(f"sqlite+pysqlite:///{tmp_path}/a.db")) == ["one"]


def test_an_empty_file_becomes_a_database(tmp_path):
    (tmp_path / "empty.db").touch()
    assert notes(open_notes(tmp_path / "empty.db")) == []


def test_changes_are_undone_by_an_error(place):
    store = open_notes(place)

    def fail(connection):
        connection.execute(sa.insert(NOTES).values(note="lost"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(fail)
    assert notes(store) == []


def test_a_writer_does_not_block_readers(tmp_path):
    store = open_notes(tmp_path / "a.db")

    def write(connection):
        connection.execute(sa.insert(NOTES).values(note="not yet"))
        return notes(store)

    assert store.write(write) == []
    assert notes(store) == ["not yet"]


def test_what_a_writer_has_read_stays_true_until_it_writes(tmp_path):
    store = open_notes(tmp_path / "a.db")

    def write(connection):
        other = sqlite3.connect(tmp_path / "a.db", timeout=0)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="is locked"):
            other.execute("INSERT INTO notes VALUES ('between')")
        connection.execute(sa.insert(NOTES).values(note="one"))

    store.write(write)
    assert notes(store) == ["one"]


def test_foreign_keys_and_durability_are_on(tmp_path):
    store = open_notes(tmp_path / "a.db")
    names = ("foreign_keys", "synchronous", "journal_mode")
    full = 2
    settings = store.read(
        lambda c: [c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    )
    assert settings == [1, full, "wal"]


# What is refused


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ({"kind": "gallery"}, "holds a notebook, not a gallery."),
        ({"format_number": 1}, "has format 2, and this version of neuropil uses format 1: upd"),
        ({"format_number": 3}, "has format 2, and this version of neuropil uses format 3: beg"),
    ],
)
def test_another_kind_or_format_is_refused(place, identity, message):
    open_notes(place, format_number=2)
    line = refusal(place, **{"format_number": 2, **identity})
    assert message in line


def test_the_database_of_another_program_is_refused_and_stays_as_it_is(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    assert "other.db has the tables of another program" in refusal(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_store_without_its_identity_is_damaged(tmp_path):
    open_notes(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db")) as other:
        other.execute("DELETE FROM neuropil_store")
        other.commit()
    assert "a.db is damaged: its table neuropil_store is empty" in refusal(tmp_path / "a.db")


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "a.db"
    write_note(open_notes(path), "x" * 50_000)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreError, match=r"a\.db cannot be used: database disk image is malf"):
        notes(open_notes(path))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.mkdir, "thing is a folder, not a file."),
        (
            lambda path: path.write_text("a,b\n1,2\n" * 99),
            "thing cannot be used: file is not a d",
        ),
        (
            lambda path: path.write_text("short"),
            "thing cannot be used: file is not a database.",
        ),
    ],
    ids=["folder", "table", "short"],
)
def test_a_thing_that_is_not_a_database_is_refused(tmp_path, make, message):
    make(tmp_path / "thing")
    assert message in refusal(tmp_path / "thing")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("absent/a.db", "there is no folder absent to write a.db into."),
        ("pyproject.toml/a.db", "Not a directory: pyproject.toml/a.db"),
        ("/proc/a.db", "/proc/a.db cannot be used: unable to open database file."),
        ("/dev/null", "/dev/null is a device, not a file."),
        (
            "",
            "a SQLite database is a file: name a path, sqlite:///PATH, or postgresql://USER:PA",
        ),
        (":memory:", "a SQLite database is a file"),
        ("sqlite://", "a SQLite database is a file"),
        ("sqlite://a.db", "a SQLite database is a file"),
        ("sqlite:///a.db?mode=ro", "a SQLite database is a file"),
        ("mysql://u:secret@h/d", "mysql: is an unknown kind of database: name a path"),
        (
            "postgres://u:secret@h/d",
            "postgres: is an unknown kind of database: name a path, sqli",
        ),
        ("postgresql+psycopg://u:secret@h/d", "Did you mean 'postgresql'?"),
        ("postgresql:/u:secret@h/d", "the postgresql URL cannot be read: name a path"),
        ("postgresql://u:secret@h:port/d", "the postgresql URL cannot be read: name a path"),
        ("postgresql://u:secret/d", "the postgresql URL cannot be read: name a path"),
        ("postgresql://u:my@secret@h/d", "write @ in a password as %40."),
        ("postgresql://:secret@h/d", "postgresql://:***@h/d has no user: name a path"),
        ("postgresql:///d", "postgresql:///d has no user: name a path"),
        (
            "postgresql://u@h/d?password=secret&sslmode=require",
            "postgresql://u@h/d takes one ?unix_sock=PATH and no other option, got password",
        ),
        ("postgresql://u@/d?unix_sock=a&unix_sock=b", "takes one ?unix_sock=PATH and no other"),
        (
            "postgresql://u:secret@/d?unix_sock=absent",
            "postgresql://u:***@/d cannot be reached: No such file or directory.",
        ),
    ],
)
def test_a_place_that_cannot_be_used_is_refused(place, message):
    assert message in refusal(place)


def test_a_server_that_does_not_run_is_refused():
    with create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    line = refusal(f"postgresql://u:secret@127.0.0.1:{port}/d")
    assert (
        line == f"postgresql://u:***@127.0.0.1:{port}/d cannot be reached: Connection refused."
    )


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_a_server_that_is_not_postgresql_is_refused(reply):
    def answer():
        with server.accept()[0] as client:
            client.recv(8)
            client.sendall(reply)

    with create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        line = refusal(f"postgresql://u:secret@127.0.0.1:{server.getsockname()[1]}/d")
        thread.join()
    assert "cannot be reached: " in line


def test_a_missing_driver_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pg8000", None)
    line = refusal("postgresql://u:secret@h/d")
    assert line == "postgresql:// needs pg8000: pip install 'neuropil[postgres]'."


@EXTENDED
@pytest.mark.parametrize(
    ("user", "database", "message"),
    [
        ("guarded:secret", "postgres", 'password authentication failed for user "guarded"'),
        ("guarded", "postgres", 'password authentication failed for user "guarded"'),
        ("postgres:secret", "absent", 'database "absent" does not exist'),
        ("absent:secret", "postgres", 'role "absent" does not exist'),
    ],
)
def test_what_a_server_refuses_is_refused(postgres, user, database, message):
    assert message in refusal(postgres.url(database, user))


@EXTENDED
def test_a_password_is_used(postgres):
    url = postgres.empty_database()
    write_note(open_notes(postgres.url(user="guarded:right")), "one")
    assert notes(open_notes(url.replace("postgres@", "guarded:right@"))) == ["one"]


@EXTENDED
def test_the_tables_of_others_on_a_server_are_left_alone(postgres):
    url = postgres.empty_database()
    postgres.execute("CREATE TABLE customers (name TEXT)")
    assert "has the tables of another program: name a new file or an empty" in refusal(url)


# Errors that pass


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(database_url, "LOCK_TIMEOUT", 0.01)
    monkeypatch.setattr(database, "PAUSES", (0.01, 0.01))


@pytest.fixture
def lock(tmp_path):
    """A connection of another program that has the lock of a database."""
    open_notes(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_lock_is_waited_for_a_while(impatient, lock, tmp_path):
    store = open_notes(tmp_path / "a.db")
    with pytest.raises(StoreError, match=r"a\.db cannot be used: database is locked\.$"):
        write_note(store, "one")
    assert notes(store) == []


def test_a_write_is_repeated_once_a_lock_is_gone(impatient, lock, tmp_path, monkeypatch):
    store = open_notes(tmp_path / "a.db")
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        lock.rollback()

    monkeypatch.setattr(database.time, "sleep", sleep)
    write_note(store, "one")
    assert notes(store) == ["one"]
    assert pauses == [0.01]


def test_a_mistake_is_not_repeated(place, impatient):
    store = open_notes(place)
    calls = []

    def work(connection):
        calls.append(connection)
        connection.execute(sa.text("SELECT * FROM absent"))

    with pytest.raises(StoreError, match=r"cannot be used: .*absent"):
        store.read(work)
    assert len(calls) == 1


def breaking(statement, calls):
    """Return a function that writes a note, and the first time breaks its transaction."""

    def work(connection):
        calls.append(statement)
        connection.execute(sa.insert(NOTES).values(note="one"))
        if len(calls) == 1:
            connection.execute(sa.text(statement))
            connection.execute(sa.text("SELECT 1"))

    return work


@EXTENDED
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "DO $$BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = 'serialization_failure'; END$$",
    ],
    ids=["dropped", "conflict"],
)
def test_a_transaction_is_repeated_after_an_error_that_passes(postgres, impatient, statement):
    store = open_notes(postgres.empty_database())
    calls = []
    store.write(breaking(statement, calls))
    assert notes(store) == ["one"]
    assert len(calls) == 2


@EXTENDED
def test_a_stopped_process_does_not_keep_its_locks(postgres, impatient, monkeypatch):
    monkeypatch.setattr(database_url, "STARTUP", {"idle_in_transaction_session_timeout": "100"})
    store = open_notes(postgres.empty_database())
    calls = []

    def work(connection):
        calls.append(connection)
        connection.execute(sa.insert(NOTES).values(note="one"))
        if len(calls) == 1:
            threading.Event().wait(1)

    store.write(work)
    assert notes(store) == ["one"]
    assert len(calls) == 2


# Files that cannot be written


@pytest.mark.parametrize("has_writer", [False, True])
def test_a_file_that_cannot_be_written_is_read(tmp_path, monkeypatch, has_writer):
    store = open_notes(tmp_path / "a.db")
    write_note(store, "one")
    with store.engine.connect() if has_writer else nullcontext() as writer:
        if writer is not None:  # its log stays beside the file
            writer.exec_driver_sql("SELECT * FROM notes").all()
            write_note(store, "two")
        for module in (database, database_url):
            monkeypatch.setattr(module, "is_writable", lambda _: False)
        reader = open_notes(tmp_path / "a.db")
        assert notes(reader) == (["one", "two"] if has_writer else ["one"])
        with pytest.raises(StoreError, match="attempt to write a readonly database"):
            write_note(reader, "three")
