"""Compiled loops where nothing can be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import neuropil

CODE = """
import warnings
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    from neuropil import classic
    for name in classic.__all__:
        getattr(classic, name)
    model = classic.DiscreteHopfieldNetwork(random_state=0).fit([[1, 0, 1, 0]])
    print(model.transform([[1, 0, 1, 1]]).tolist())
print([str(each.message)[:34] for each in said if "compiled loops" in str(each.message)])
"""


def uncached(place: Path, home: str) -> subprocess.CompletedProcess[str]:
    """Run with a copy of the package whose folders take no cache, not even a superuser's."""
    shutil.copytree(
        Path(neuropil.__file__).parent,
        place / "neuropil",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    classic = place / "neuropil" / "classic"
    for folder in [classic, *classic.rglob("*")]:
        if folder.is_dir():
            (folder / "__pycache__").write_text("")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG"))}
    return subprocess.run(
        [sys.executable, "-c", CODE],
        env=kept | {"HOME": home, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
    )


def test_networks_are_used_where_nothing_can_be_written(tmp_path):
    run = uncached(tmp_path, os.devnull)
    assert run.returncode == 0, run.stderr
    answer, said = run.stdout.splitlines()
    assert answer == "[[1.0, 0.0, 1.0, 0.0]]"
    assert said == "['compiled loops cannot be cached, s']"
