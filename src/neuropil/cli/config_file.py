"""Options of ``neuropil train`` from a file: TOML, JSON, a run's or a study's."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from neuropil.core.reading import require_file
from neuropil.study.study_file import read_study
from neuropil.text import nearest_or_some


def use_config(context: typer.Context, path: Path | None) -> Path | None:
    """Make the options in a file the defaults of a command; called before its other options.

    Args:
        context: The context of the command.
        path: The file; None if there is none.
    """
    if path is not None:
        read = read_options(path, known_options(context))
        context.default_map = {**(context.default_map or {}), **read}
    return path


def use_study(context: typer.Context, path: Path | None) -> Path | None:
    """Make the options of a study's baseline the defaults of a command, below those of a file.

    Args:
        context: The context of the command.
        path: The folder of the study; None if there is none.

    Raises:
        FileNotFoundError: If no study is there.
        ValueError: If it is not a study, or was not started by a command.
    """
    if path is not None:
        plain = read_study(path).get("options")
        if not isinstance(plain, dict):
            raise ValueError(
                f"{path} does not have the options of its baseline: only a study that "
                "`neuropil study` made can be trained from."
            )
        read = arguments(plain, path, known_options(context))
        context.default_map = {**read, **(context.default_map or {})}
    return path


def known_options(context: typer.Context) -> list[str]:
    """Return the names of the options that a file may set."""
    names = [parameter.name or "" for parameter in context.command.params]
    return [name for name in names if name not in ("config", "help")]


def read_options(path: Path, known: list[str]) -> dict[str, Any]:
    r"""Return the options in a file by their names with ``_``.

    Args:
        path: The file. Of a ``run.json`` the options that the run was started with are used.
        known: Names of all options.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it cannot be read, or has an unknown option.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "fast.toml")
        ...     _ = file.write_text('network = "lenet"\nbatch-size = 32\n')
        ...     read_options(file, ["network", "batch_size"])
        {'network': 'lenet', 'batch_size': 32}
    """
    plain = read_plain(path)
    if {"format", "settings"} <= plain.keys():
        plain = plain.get("options")
        if not isinstance(plain, dict):
            raise ValueError(f"{path} is damaged: it does not have the options of the run.")
    return arguments(plain, path, known)


def arguments(plain: Mapping[str, Any], path: Path, known: list[str]) -> dict[str, Any]:
    """Return options by their names with ``_``, in the form that is typed.

    Args:
        plain: The options as they are in a file.
        path: The file.
        known: Names of all options.

    Raises:
        ValueError: If an option is unknown, or no single value.
    """
    options = {name.replace("-", "_"): value for name, value in plain.items()}
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"{path}: unknown option {name!r}.{nearest_or_some(name, known)}")
        if isinstance(value, dict):
            raise ValueError(f"{path}: {name} must be one value, got a table.")
    return {name: as_argument(value) for name, value in options.items() if value is not None}


def read_plain(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML or JSON file.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is of another format, or damaged.
    """
    require_file(path)
    if path.suffix.casefold() not in (".toml", ".json"):
        raise ValueError(f"--config must name a .toml or .json file, got {str(path)!r}.")
    try:
        text = path.read_text("utf-8")
        plain = tomllib.loads(text) if path.suffix.casefold() == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:  # what both parsers raise
        raise ValueError(f"{path} cannot be read: {error}.") from None
    if not isinstance(plain, dict):
        raise ValueError(f"{path} must hold options by name, got a {type(plain).__name__}.")
    return plain


def as_argument(value: Any) -> Any:
    """Return a value in the form that is typed: a list is joined by commas."""
    return ",".join(map(str, value)) if isinstance(value, list) else value
