from neuropil.cli.docstring import doc_of, items_of, signature_of


def example(units, *, bias: bool = True) -> int:
    """Do one thing.

    y = W x + b, over
    two lines.

    Shape:
        ``(D) -> (units)``.

    Args:
        units: How many,
            on two lines.
        bias: Whether b is there.

    Example:
        >>> 1 + 1
        2
    """
    return units


def test_a_docstring_comes_apart_into_its_sections():
    doc = doc_of(example)
    assert doc.line == "Do one thing."
    assert doc.text == "y = W x + b, over\ntwo lines."
    assert list(doc.sections) == ["Shape", "Args", "Example"]
    assert doc.sections["Example"] == ">>> 1 + 1\n2"


def test_the_entries_of_a_section_are_joined_over_their_lines():
    assert items_of(doc_of(example).sections["Args"]) == [
        ("units", "How many, on two lines."),
        ("bias", "Whether b is there."),
    ]


def test_a_signature_is_shown_without_types():
    assert signature_of(example, "example") == "example(units, *, bias=True)"
    assert signature_of(3, "three") is None


def test_what_has_no_docstring_has_no_parts():
    doc = doc_of(lambda: None)
    assert (doc.line, doc.text, doc.sections) == ("", "", {})
