"""Scripts of the tests, each run in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path


def run_script(
    script: Path, *arguments: object, timeout: float = 300, **environment: str
) -> str:
    """Run a script on one thread until it ends well, and return what it printed."""
    run = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout
