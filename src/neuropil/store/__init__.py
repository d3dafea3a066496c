"""Databases of studies and galleries: SQLite files and PostgreSQL servers."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.store.database import Store as Store
    from neuropil.store.database import open_store as open_store
    from neuropil.store.database_errors import StoreError as StoreError

load_on_use(__name__, __file__)
