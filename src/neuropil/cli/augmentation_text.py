"""Parser for augmentations as text, ``RandomShift(2) >> RandomFlip()``; never uses ``eval``."""

from __future__ import annotations

import ast
from typing import Any


def parse(text: str) -> Any:
    """Return the augmentation that a text describes; None for ``none``.

    Raises:
        ValueError: When the text contains anything but augmentations with literal arguments.
    """
    if text.strip().casefold() == "none":
        return None
    try:
        augmentation = read(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError, TypeError) as error:
        why = getattr(error, "msg", error)  # without a line number
        raise ValueError(f"--augment {text!r} cannot be read: {why}.") from None
    if not callable(augmentation):
        raise ValueError(
            f"--augment must be an augmentation such as RandomShift(2), or none, got {text!r}."
        )
    return augmentation


def read(node: ast.expr) -> Any:
    """Return the augmentation or the literal argument that a syntax node describes.

    Raises:
        ValueError: When the node is anything else.
    """
    match node:
        case ast.BinOp(_, ast.RShift(), _):
            return maker("Compose")(*map(read, links(node)))
        case ast.Call(ast.Name(name), arguments, keywords):
            options = {keyword.arg: read(keyword.value) for keyword in keywords if keyword.arg}
            return maker(name)(*map(read, arguments), **options)
        case ast.Name(name):
            return maker(name)()
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(
            f"--augment: {ast.unparse(node)[:60]!r} is not allowed; write augmentations such "
            f"as RandomShift(2), chained by >>."
        ) from None


def links(node: ast.expr) -> list[ast.expr]:
    """Return the operands of a chain ``a >> b >> c``, which is read as ``(a >> b) >> c``."""
    found = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift):
        found.append(node.right)
        node = node.left
    return [node, *reversed(found)]


def maker(name: str) -> Any:
    """Return the public augmentation class of that name.

    Raises:
        ValueError: When the name is unknown.
    """
    from neuropil.datasets import augmentation
    from neuropil.lazy import public_names
    from neuropil.text import nearest

    known = [n for n in public_names(augmentation) if n != "Augmentation"]
    if name not in known:
        near = nearest(name, known) or f" Choose from {', '.join(known)}."
        raise ValueError(f"--augment: unknown augmentation {name!r}.{near}")
    return getattr(augmentation, name)
