"""Hashes of plain data and tensors."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor


def digest_of(value: Any) -> str:
    """Return a hash of plain data and tensors.

    Args:
        value: Numbers, strings, tensors, and lists and dicts of these.
    """
    digest = hashlib.blake2b(digest_size=16)
    feed(digest, value)
    return digest.hexdigest()


def feed(digest: Any, value: Any) -> None:
    """Update a hash with plain data and tensors."""
    if isinstance(value, dict):
        digest.update(f"dict {len(value)}".encode())
        for key, item in value.items():
            feed(digest, key)
            feed(digest, item)
    elif isinstance(value, list | tuple):
        digest.update(f"list {len(value)}".encode())
        for item in value:
            feed(digest, item)
    elif isinstance(value, Tensor):
        digest.update(f"{value.dtype} {tuple(value.shape)} {value.layout}".encode())
        for part in dense_parts(value.detach()):
            digest.update(part.reshape(-1).view(torch.uint8).numpy().data)
    else:
        digest.update(repr(value).encode(errors="surrogatepass"))


def dense_parts(value: Tensor) -> list[Tensor]:
    """Return the contents of a tensor as contiguous dense tensors on the CPU."""
    if value.is_sparse:
        value = value.coalesce()
        return [*dense_parts(value.indices()), *dense_parts(value.values())]
    value = value.int_repr() if value.is_quantized else value
    return [value.resolve_conj().resolve_neg().cpu().contiguous()]
