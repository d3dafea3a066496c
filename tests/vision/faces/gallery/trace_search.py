"""A search for traces of people in the files of a gallery."""

from pathlib import Path

import numpy as np
import sqlalchemy as sa

from neuropil.vision.faces.gallery.embedding_matrix import place_of


def contents(gallery):
    """Return what the files of a gallery hold: of a server, all but its write-ahead log."""
    url = gallery.store.engine.url
    files = [place_of(gallery.store)[0]]
    if gallery.store.engine.dialect.name == "sqlite":
        files += [Path(url.database + end) for end in ("", "-wal", "-shm", "-journal")]
    else:
        run(gallery, "ANALYZE")
        run(gallery, "CHECKPOINT")
        folder = Path(url.query["unix_sock"]).parent
        # "1" and "4" are the databases that new ones are copied from.
        without = {"pg_wal", "1", "4"}
        files += [path for path in folder.rglob("*") if not without & {*path.parts}]
    return b"\n".join(path.read_bytes() for path in files if path.is_file())


def run(gallery, statement):
    """Run a statement outside a transaction."""
    engine = gallery.store.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))


def traces(gallery, some):
    """Return the names of which a trace is left: of the name, or of the embedding."""
    data = contents(gallery)
    found = []
    for name, embedding in some.items():
        unit = embedding / np.linalg.norm(embedding)
        single = unit.astype(np.float32)
        forms = [single[:4], single[-4:], unit[:2], embedding[:2]]
        texts = [str(float(each[5]))[:12].encode() for each in (single, embedding)]
        if any(each in data for each in (name.encode(), *map(bytes, forms), *texts)):
            found.append(name)
    return found
