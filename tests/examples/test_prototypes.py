"""The examples of growing gas and the LVQ family."""


def test_a_gas_finds_the_four_parts(example, tmp_path, capsys):
    drawn = tmp_path / "gas.png"
    assert example("growing_gas").main(picture=str(drawn)) == 1
    assert "4 parts" in capsys.readouterr().out
    assert drawn.read_bytes().startswith(b"\x89PNG")


def test_fifty_prototypes_tell_digits_apart(example, tmp_path):
    drawn = tmp_path / "lvq.png"
    accuracies = example("lvq").main(picture=str(drawn))
    assert min(accuracies.values()) > 0.94
    assert accuracies["GLVQ"] > 0.97
    assert drawn.read_bytes().startswith(b"\x89PNG")
