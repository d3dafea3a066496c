"""The example about training algorithms, in a small setting."""


def test_both_pictures_are_drawn_of_all_algorithms(example, tmp_path, capsys):
    algorithms = example("training_algorithms")
    algorithms.main(tmp_path, steps=5, epochs=25)
    for name in ("paths.png", "loss.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert len(algorithms.FIRST_ORDER | algorithms.WHOLE_BATCH) == 16
    assert "LevenbergMarquardt fits the sine best" in capsys.readouterr().out
