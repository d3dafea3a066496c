import json

import pytest


def test_an_expression_is_shown_layer_by_layer(neuropil):
    network = "Input(1, 8, 8) >> Convolution(4, 3) >> Flatten() >> Softmax(10)"
    result = neuropil("summary", network)
    assert result.code == 0
    assert "convolution1" in result.out
    assert "1,490" in result.out  # 4·(9 + 1) + 10·(4·36 + 1)


def test_a_shape_may_be_given_in_front_of_a_network_without_one(neuropil):
    result = neuropil("summary", "Flatten() >> Softmax(10)", "--input", "1,28,28")
    assert "7,850" in result.out
    assert "note: the network has no Input: Input(1, 28, 28) was added before it." in result.err


def test_a_name_takes_a_shape_and_outputs(neuropil):
    command = ["summary", "small_convolutional", "--input", "3x32x32", "--outputs", 7, "--json"]
    plain = json.loads(neuropil(*command).out)
    assert plain["rows"][-1]["output_shape"] == [7]
    assert plain["totals"]["parameters"] == sum(row["parameters"] for row in plain["rows"])


def test_a_run_and_a_file_are_shown(neuropil, trained):
    run = neuropil("summary", trained / "table-run")
    assert run.code == 0
    assert run.out == neuropil("summary", trained / "table-run" / "network.json").out


def test_free_axes_are_filled_on_request(neuropil):
    network = "Input(3, None, None) >> Convolution(8, 3)"
    assert "(8, None, None)" in neuropil("summary", network).out
    assert "(8, 30, 30)" in neuropil("summary", network, "--input", "3,32,32").out


def test_a_network_too_large_for_any_machine_is_only_described(neuropil):
    result = neuropil("summary", "Input(10) >> Relu(1000000000) >> Relu(1000000000)")
    assert result.code == 0
    assert "1,000,000,012,000,000,000" in result.out  # 10 n + n + n² + n


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["Relu(5)"], "give its shape with --input, as in 1,28,28."),
        (["dense"], "give one with --input, as in 1,28,28."),
        (["dense", "--input", "a,b"], "--input must be a shape without the batch"),
        (["dense", "--input", "3,0"], "--input must be a shape without the batch"),
        (["Input(3) >> Relu(2)", "--input", "4"], "3"),
        (["nothing"], "there is no architecture 'nothing'"),
        (["nothing.json"], "there is no file or folder nothing.json."),
    ],
)
def test_what_cannot_be_shown(refused, arguments, line):
    assert line in refused("summary", *arguments)
