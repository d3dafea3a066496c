"""Download of weights from the hub: a recorded revision, verified by the hub's SHA-256."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from pathlib import Path
from typing import Any

from neuropil.core.atomic import replacing

FILE = "model.safetensors"


def fetch(repository: str) -> Path:
    """Return the weight file of a repository, downloaded unless it is in the cache.

    The revision is the one in ``owner/name@revision``, or else the one recorded at the first
    download on this machine. The file is verified against the SHA-256 that the hub reports.

    Raises:
        ValueError: When the hub cannot deliver the file, or its SHA-256 is wrong.
        ModuleNotFoundError: When the hub's client is not installed.
    """
    try:
        import huggingface_hub as client
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "weights from the hub need huggingface_hub: pip install 'neuropil[hub]'."
        ) from None
    name, _, revision = repository.partition("@")
    known = read_record().get(name, {})
    wanted = revision or known.get("revision")
    try:
        url = client.hf_hub_url(name, FILE, revision=wanted)
        facts = client.get_hf_file_metadata(url)
        path = Path(client.hf_hub_download(name, FILE, revision=facts.commit_hash))
    except Exception as error:  # the client's own errors, and those of its HTTP library
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f"{FILE} of {name}"
            + f" at {wanted}" * bool(wanted)
            + f" could not be downloaded from the hub: {lines[0].rstrip('.')}. Without a "
            f"network, give a safetensors file that was downloaded elsewhere."
        ) from None
    check(path, name, str(facts.etag), known, revision)
    if not revision and not known:
        record(name, {"revision": facts.commit_hash, "sha256": facts.etag})
        warnings.warn(
            f"{name}: revision {facts.commit_hash}, SHA-256 {facts.etag}, was recorded in "
            f"{record_file()} and will be used from now on.",
            stacklevel=5,
        )
    return path


def check(path: Path, name: str, sha256: str, known: dict[str, Any], revision: str) -> None:
    """Verify a file against the hub's SHA-256 and the recorded one.

    Raises:
        ValueError: When a hash differs.
    """
    with path.open("rb") as file:
        have = hashlib.file_digest(file, "sha256").hexdigest()
    wanted = {"the hub's": sha256}
    if known and not revision:
        wanted["the recorded"] = known["sha256"]
    for whose, hash_ in wanted.items():
        if have != hash_:
            raise ValueError(
                f"{path} has the SHA-256 {have}, but {whose} for {name} is {hash_}: delete the "
                f"file and load it again."
            )


def record_file() -> Path:
    """Return the path of the file that records revisions."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "neuropil" / "weights.json"


def read_record() -> dict[str, dict[str, Any]]:
    """Return the recorded revisions by repository.

    Raises:
        ValueError: When the record is damaged.
    """
    path = record_file()
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}; fix or delete it.") from None


def record(name: str, facts: dict[str, Any]) -> None:
    """Add a repository to the record."""
    path = record_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(read_record() | {name: facts}, indent=1)
    with replacing(path) as file:
        file.write(text.encode())
