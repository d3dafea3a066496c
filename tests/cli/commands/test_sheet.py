import pytest

from neuropil.cli.catalogue import SECTIONS, items
from neuropil.cli.docstring import doc_of
from neuropil.foreign_names import bare


def test_the_list_has_every_section_and_one_line_an_item(neuropil):
    result = neuropil("sheet")
    assert result.code == 0
    lines = result.out.splitlines()
    for section, (home, _) in SECTIONS.items():
        assert f"{section}  {home}" in result.out
    for item in items().values():
        assert any(line.split()[:1] == [item.name] for line in lines), item.name


def test_every_item_says_what_it_is():
    assert [item.name for item in items().values() if not item.line] == []


@pytest.mark.parametrize(
    "name", ["Convolution", "Adam", "HeNormal", "cross_entropy", "summary"]
)
def test_an_item_shows_its_definition_arguments_and_example(neuropil, name):
    result = neuropil("sheet", name)
    assert result.code == 0
    for part in (f"import {name}", "Arguments", "Example", ">>> "):
        assert part in result.out


def test_every_item_can_be_shown(neuropil):
    for name in items():
        result = neuropil("sheet", name)
        assert result.code == 0
        assert result.out.startswith(name)


def test_case_and_underscores_do_not_matter(neuropil):
    assert neuropil("sheet", "crossentropy").out == neuropil("sheet", "cross_entropy").out
    assert neuropil("sheet", "neuropil.layers.Relu").out == neuropil("sheet", "relu").out


def test_a_word_lists_the_items_that_have_it(neuropil):
    result = neuropil("sheet", "pooling")
    names = {line.split()[0] for line in result.out.splitlines() if line.startswith("  ")}
    assert {"MaxPooling", "AveragePooling", "GlobalPooling"} <= names
    assert "Adam" not in names


def test_an_unknown_name_gets_the_nearest(refused):
    line = refused("sheet", "Convolutoin")
    assert line == "the sheet has no item 'Convolutoin'. Did you mean 'Convolution'?"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("Conv2d", "Convolution"),
        ("torch.nn.ConvTranspose2d", "Deconvolution"),
        ("nn.LSTM", "LSTM"),
        ("nn.BatchNorm2d", "BatchNorm"),
        ("nn.Dropout2d", "Dropout"),
        ("Dense", "Linear"),
        ("Conv2D", "Convolution"),
        ("MaxPool2D", "MaxPooling"),
        ("SimpleRNN", "RNN"),
        ("mse", "squared_error"),
        ("SGD", "GradientDescent"),
        ("dense", "dense"),
        ("RBM", "RBM"),
    ],
)
def test_names_of_other_libraries_find_ours(neuropil, name, ours):
    result = neuropil("sheet", name)
    assert result.code == 0
    assert result.out.startswith(f"{ours} ")
    told = bare(name) != bare(ours)
    assert (f"note: {name} is {ours} here." in result.err) is told


def half_indented(text):
    """Return the paragraphs, lists apart, in which an indented line follows one that is not."""
    paragraphs = [part.splitlines() for part in text.split("\n\n") if part.strip()]
    return [
        lines
        for lines in paragraphs
        if not lines[0].lstrip().startswith(("-", "*", "|", "1."))
        and len({line[:1].isspace() for line in lines}) > 1
    ]


def test_no_description_breaks_off_into_an_indented_block():
    found = {name: half_indented(doc_of(item.thing).text) for name, item in items().items()}
    assert {name: lines for name, lines in found.items() if lines} == {}
