"""The examples of competing units, each in a small setting."""


def test_a_map_of_digits_knows_their_classes(example, tmp_path, capsys):
    accuracy = example("sofm").main((10, 12), tmp_path, n_epochs=5)
    assert accuracy > 0.8
    assert {path.stem for path in tmp_path.iterdir()} == {"u_matrix", "hits", "regions"}
    assert "final radius" in capsys.readouterr().out


def test_a_picture_keeps_its_looks_in_few_colours(example, tmp_path):
    place = tmp_path / "few.png"
    few = example("kohonen").main(4, place, step=16)
    many = example("kohonen").main(16, place, step=16)
    assert many < 0.6 * few
    assert place.exists()
