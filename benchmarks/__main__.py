"""Run one benchmark: ``python -m benchmarks NAME [--json FILE]``."""

from __future__ import annotations

import argparse
import importlib
import pkgutil

import benchmarks

NOT_BENCHMARKS = {"__main__", "timing"}


def main() -> None:
    names = [m.name for m in pkgutil.iter_modules(benchmarks.__path__)]
    names = sorted(set(names) - NOT_BENCHMARKS)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    parser.add_argument(
        "--rounds", type=int, help="rounds, in place of the benchmark's own number"
    )
    arguments = parser.parse_args()
    module = importlib.import_module(f"benchmarks.{arguments.name}")
    options = {} if arguments.rounds is None else {"rounds": arguments.rounds}
    module.main(json=arguments.json, **options)


if __name__ == "__main__":
    main()
