"""Run one benchmark: ``python -m benchmarks NAME [--json FILE]``."""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil

import benchmarks

NOT_BENCHMARKS = {"__main__", "more_garbow_hillstrom", "sine", "timing"}
HELP = {
    "json": "write the figures to this file",
    "rounds": "rounds, in place of the benchmark's own number",
}


def main() -> None:
    """Run the benchmark that was named with the options that its `main` takes."""
    names = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(names - NOT_BENCHMARKS))
    parser.add_argument("options", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    module = importlib.import_module(f"benchmarks.{asked.name}")
    options = argparse.ArgumentParser(
        prog=f"python -m benchmarks {asked.name}", description=module.__doc__
    )
    for option, parameter in inspect.signature(module.main).parameters.items():
        kind = type(parameter.default) if parameter.default is not None else str
        options.add_argument(
            f"--{option}", type=kind, default=parameter.default, help=HELP.get(option)
        )
    module.main(**vars(options.parse_args(asked.options)))


if __name__ == "__main__":
    main()
