"""The example about training algorithms, in a small setting."""

import importlib.util
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "training_algorithms.py"


def test_both_pictures_are_drawn_of_all_algorithms(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("training_algorithms", EXAMPLE)
    assert spec is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main(tmp_path, steps=5, epochs=25)
    for name in ("paths.png", "loss.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert len(example.FIRST_ORDER | example.WHOLE_BATCH) == 16
    assert "LevenbergMarquardt fits the sine best" in capsys.readouterr().out
