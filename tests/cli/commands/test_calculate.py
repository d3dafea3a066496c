import pytest


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--input 32 --filter 5 --stride 2 --padding same", "output = 16"),
        ("--input 32 --filter 5 --stride 2", "output = 14: "),
        ("--input 32 --filter 5 --padding 1,2", "output = 31"),
        ("--input 32 --filter 5 --padding 2", "output = 32"),
        ("--filter 5 --stride 2 --output 14", "input = 31 exactly, or 32"),
        ("--input 32 --stride 2 --output 16", "filter = 2"),
        ("--input 32 --filter 3 --output 28 --dilation ?", "dilation = 2."),
        ("--input 7 --filter 3 --stride 2 --padding ? --output 4", "padding = 1"),
        ("--input 3 --filter 5", "no output"),
    ],
)
def test_whichever_is_not_given_is_found(neuropil, arguments, line):
    result = neuropil("calculate", *arguments.split())
    assert result.code == 0
    assert result.out.startswith(line)
    assert len(result.out.splitlines()) == 1


def test_with_all_three_lengths_stride_and_padding_are_sought(neuropil):
    result = neuropil("calculate", "--input", 32, "--filter", 5, "--output", 32)
    assert result.out.splitlines() == [
        "with padding valid: no whole stride gives an output of 32: stride 1 gives 28.",
        "with stride 1: padding = 2.",
    ]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--input 32", "give all but one of --filter and --output."),
        ("--input 9 --filter 3 --stride 1 --padding 0 --output 7", "all sizes are given"),
        ("--input x --filter 3", "--input must be a whole number, got 'x'."),
        ("--input 9 --filter 3 --padding around", "--padding must be valid, same, full"),
        ("--input 9 --filter -3", "filter must be a whole number from 1"),
    ],
)
def test_sizes_that_are_none(refused, arguments, line):
    assert line in refused("calculate", *arguments.split())
