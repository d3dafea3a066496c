"""Small files that went wrong once, each beside what is right for it; the folder of cases is
``../cases`` beside the data folder (NEUROPIL_DATA). Files that none names are printed too.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main(only: str = "") -> None:
    """Train on each case by the command line, and print what came beside what is wanted.

    Args:
        only: Print the cases whose path holds this.
    """
    from benchmarks.cases.outcome import FOLDER, train
    from benchmarks.cases.rows import ROWS

    if not FOLDER.is_dir():
        print(f"no cases at {FOLDER}: set NEUROPIL_DATA to the data folder beside them")
        return
    import neuropil.plots

    # A report takes seconds, and is not what is looked at here.
    neuropil.report.write_report = lambda path, *_, **__: Path(path).write_text("")
    rows = [row for row in ROWS if only in row.path]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for row in rows:
            outcome = train(FOLDER / row.path, Path(folder), *row.options)
            right = row.holds(outcome)
            wrong += not right
            name = " ".join([row.path, *row.options])
            mark = "right" if right else "WRONG"
            print(f"{mark}  {name:42} {row.wanted:42} {outcome.shown():.110}", flush=True)
    print(f"{len(rows) - wrong} of {len(rows)} right")
    listed = {row.path for row in ROWS} | {"predict/blank_row.csv"}
    entries = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*")}
    for name in sorted(entries - listed):
        print(f"no row for {name}")
    sys.exit(wrong > 0 or bool(entries - listed))
