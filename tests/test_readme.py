"""The pictures of the README: small, and each drawn by one command."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN = re.compile(r"images/([\w.]+\.(?:jpg|png|svg))")
MOST_BYTES = 150_000


def test_each_picture_is_small_and_drawn_by_a_command():
    shown = SHOWN.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    files = {path.name for path in (ROOT / "images").iterdir() if path.suffix != ".py"}
    assert set(shown) == files
    assert all((ROOT / "images" / name).stat().st_size <= MOST_BYTES for name in files)
    script = ast.parse((ROOT / "images" / "draw.py").read_text(encoding="utf-8"))
    saved = [node.value for node in ast.walk(script) if isinstance(node, ast.Constant)]
    assert files <= set(saved)
    assert {Path(name).stem for name in files} <= set(saved)  # the names of the commands
