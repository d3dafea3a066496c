"""The cases: a file, what is right for it, and how that is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.cases.checks import (
    accurate,
    category,
    columns,
    every,
    explains,
    named,
    near,
    noted,
    predicts,
    prints,
    refused,
    shaped,
    sized,
    without,
)

if TYPE_CHECKING:
    from benchmarks.cases.checks import Check
    from benchmarks.cases.outcome import Outcome


@dataclass(frozen=True)
class Row:
    """A case.

    Attributes:
        path: The file, from the folder of cases.
        wanted: What is right, in a few words.
        check: Tells whether it came.
        options: Further options of `neuropil train`.
    """

    path: str
    wanted: str
    check: Check
    options: tuple[str, ...] = ()

    def holds(self, outcome: Outcome) -> bool:
        """Tell whether what is right came; what cannot be looked up did not."""
        try:
            return bool(self.check(outcome))
        except (KeyError, ValueError, IndexError):
            return False


def learnt_by_heart(outcome: Outcome) -> bool:
    """Tell whether values 1/7 apart at 10⁹ are kept; pictures of noise teach nothing more."""
    return outcome.figure("mean_absolute_error", "train") < 1 and outcome.figure("r2") < 0.5


LEFT_OUT = "left out with a note, accuracy about 0.5"
THREE = named("0", "1", "2")
MISSING = noted("Missing values: 'a' in 4 rows")
TABLES = [
    Row("csv/unnamed_index_sorted.csv", LEFT_OUT, without("column1")),
    Row("csv/passenger_id.csv", LEFT_OUT, without("PassengerId")),
    Row("csv/unnamed0_exact.csv", LEFT_OUT, without("Unnamed: 0")),
    Row("csv/target_1e9.csv", "within 1 on average", near("csv/target_1e9.csv", "y", 1)),
    Row("csv/timestamp_ms.csv", "accuracy 1", accurate(1)),
    Row("csv/timestamps_s.csv", "accuracy 1", accurate(1)),
    Row("csv/pandas_range_header.csv", "names 0 to 2", columns("0", "1")),
    Row(
        "csv/pandas_range_header.csv",
        "101 rows",
        every(columns("column1", "column2"), sized(train=71, validation=10, test=20)),
        ("--no-header",),
    ),
    Row("csv/wavelength_header.csv", "names 400 to 420", columns("400", "410", "420")),
    Row(
        "csv/huge_id_classes.csv",
        "three classes as written",
        every(named(*(f"9007199254740992{n}" for n in (1, 2, 3))), accurate(1)),
    ),
    Row("csv/money.csv", "digits by the error", prints("csv/money.csv", r"\d{7}(\.\d{1,2})?")),
    Row("csv/thousands.csv", "numbers", every(accurate(0.95), columns("price"))),
    Row(
        "csv/thousands_semicolon.csv",
        "numbers",
        every(accurate(0.95), columns("price", "noise"), noted("is 2266")),
    ),
    Row("csv/thousands_target.csv", "numbers", explains(0.95)),
    Row("csv/currency.csv", "numbers", every(accurate(0.9), columns("price", "noise"))),
    Row("csv/decimal_comma_quoted.csv", "numbers", every(accurate(0.85), columns("x1", "x2"))),
    Row("csv/class_named_NA.csv", "a note with 'NA'", noted("'NA' means.*write another word")),
    Row("csv/class_named_None.csv", "three classes", named("APAC", "EU", "None")),
    Row("csv/none_category.csv", "the word is a category", category("None")),
    Row(
        "predict/none_category_train.csv",
        "the word is a category, three predictions",
        every(category("None"), predicts("predict/blank_row.csv", 3)),
    ),
    *(
        Row(f"csv/na_{name}.csv", "missing", every(MISSING, accurate(0.85)))
        for name in ("NA", "NULL", "None", "blank", "minusnan", "pandas")
    ),
    *(
        Row(
            f"csv/na_{name}.csv", "row and column", refused(r"column 'a', row 7: '.*' \(3 more")
        )
        for name in ("dash", "dot", "excel", "999")
    ),
    Row("csv/excel_sep.csv", "read", accurate(0.85)),
    Row("csv/comment_line.csv", "read", every(accurate(0.85), noted("comment skipped"))),
    Row("csv/trailing_comma.csv", "read", every(accurate(0.85), noted("column 4 left out"))),
    Row("csv/gbk.csv", "letters", every(named("狗", "猫"), noted("GB 18030"))),
    Row("csv/gbk.csv", "letters", named("狗", "猫"), ("--encoding", "gbk")),
    Row("csv/sjis.csv", "letters", every(named("犬", "猫"), noted("Shift-JIS"))),
    Row("csv/sjis.csv", "letters", named("犬", "猫"), ("--encoding", "shift_jis")),
    Row("csv/sjis.csv", "an error", refused("not text in utf-8"), ("--encoding", "utf-8")),
    Row("csv/utf16_nobom.csv", "read", accurate(0.85)),
    Row("csv/gz.csv.gz", "read", accurate(0.85)),
    Row("csv/spaces.csv", "read", accurate(0.85)),
    # Cat and cat stand at the same places.
    Row("csv/class_case.csv", "read", every(named("Cat", "cat", "dog"), accurate(0.6))),
    # These were read right before.
    *(
        Row(f"csv/{name}.csv", "read", accurate(0.8))
        for name in (
            *("apostrophe", "bom_quoted_newline", "case_clash", "class_spaces"),
            *("empty_constant", "float_labels", "mac_cr", "mixed_cat", "pipes_in_text"),
            *("quoted_commas", "single_example_class", "tabs"),
        )
    ),
    *(
        Row(f"csv/{name}.csv", "read", explains(0.9))
        for name in ("big_reg", "counts30", "half_steps")
    ),
    Row("csv/class_nfc.csv", "three classes", lambda o: len(o.classes) == 3),
    Row("csv/mixed_bool_target.csv", "four classes", named("0", "1", "False", "True")),
    Row("csv/date_column.csv", "dates are read", noted("'date': dates.*used as days since")),
    Row("csv/duplicate_columns.csv", "an error", refused("more than one column.*'x'")),
    Row("csv/empty.csv", "an error", refused("is empty")),
    Row("csv/header_only.csv", "an error", refused("no rows")),
    Row("csv/inf.csv", "an error", refused("column 'a', row 7: 'inf'")),
    Row("csv/one.csv", "an error", refused("only one column")),
    Row("csv/one_class.csv", "an error", refused("one class only")),
    Row("csv/repeated_header.csv", "an error", refused("column 'x1', row 42")),
]
ARRAYS = [
    Row(
        "arrays/bigy.npz",
        "60 values kept: training within 1",
        learnt_by_heart,
        ("--epochs", "200"),
    ),
    Row(
        "arrays/bigids.npz",
        "three classes as written",
        named(*(str(90071992547409921 + k) for k in range(3))),
    ),
    Row("arrays/idx_nested", "found", every(THREE, shaped(1, 8, 8))),
    Row("arrays/kaggle_digits.csv", "target label", named(*map(str, range(10)))),
    # These were read right before.
    Row("arrays/wine.csv", "two columns", columns("column1", "column2")),
    *(
        Row(f"arrays/{name}.npz", "read", every(THREE, shaped(1, 8, 8)))
        for name in ("Xy", "column_y", "images_labels", "onehot")
    ),
    Row("arrays/data_target.npz", "read", every(THREE, shaped(64))),
    Row("arrays/x16.npz", "read", every(THREE, shaped(8, 8))),
    Row("arrays/channels_last.npz", "channels found", every(THREE, shaped(3, 8, 8))),
    *(
        Row(f"arrays/{name}", "parts found", every(THREE, sized(test=9)))
        for name in ("keras.npz", "idx_dash", "idx_dot")
    ),
    Row("arrays/emnist", "classes from 1", named("1", "2", "3")),
    Row("arrays/bool_y.npz", "two classes", named("False", "True")),
    *(
        Row(f"arrays/{name}_labels.npz", "words", named("cat", "cow", "dog"))
        for name in ("bytes", "str")
    ),
    *(
        Row(f"arrays/{name}", "an error", refused("cannot be opened as data: open a"))
        for name in ("alone.npy", "wine.data")
    ),
    Row("arrays/arr01.npz", "an error", refused("the arrays 'arr_0', 'arr_1'; it needs")),
    Row("arrays/complex.npz", "an error", refused("must hold numbers, got complex128")),
    Row("arrays/lens.npz", "an error", refused("one target for each example")),
    Row("arrays/nan.npz", "an error", refused(r"row 0 holds nan \(and 59 more rows\)")),
    Row("arrays/obj.npz", "an error", refused("Python objects, which are never unpickled")),
]
AB = named("a", "b")
PICTURES = [
    Row("pictures/equal_numbers", "one order of classes", named("001", "01", "1", "2")),
    Row(
        "pictures/sixteen_bit_dark",
        "accuracy 1 and a note",
        every(accurate(1), noted("values from 0 to 119, .* 255 as white")),
    ),
    Row(
        "pictures/mixed_depth",
        "accuracy 1 and a note",
        every(accurate(1), noted("4095 as white")),
    ),
    Row(
        "pictures/low_16bit",
        "accuracy 1 and a note",
        every(accurate(1), noted("values from 0 to 159, .* 255 as white")),
    ),
    Row(
        "pictures/float_tiff",
        "an error with what was set aside",
        refused(
            r"one class only.*17 broken pictures set aside: a/0\.tif: its values range from -3"
        ),
    ),
    Row(
        "pictures/int16_signed",
        "an error with what was set aside",
        refused(r"None .* 24 broken pictures set aside: a/0\.tif: its values range from -9"),
    ),
    # Where links are copied as text, the link is a file of text.
    Row(
        "pictures/nested_links",
        "a note on the link",
        every(named("cat", "dog"), noted("ignored, .*: cat/linked|followed: cat/linked")),
    ),
    # Where empty folders are not copied, there is nothing to set aside.
    Row(
        "pictures/empty_class",
        "two classes",
        every(AB, lambda o: not o.notes or noted("not used as classes")(o)),
    ),
    # These were read right before.
    Row("pictures/extra_in_val", "an error", refused("that the training data lack: 'z'")),
    Row("pictures/extreme", "read", every(AB, noted("resized to 1×64"))),
    Row("pictures/junk", "read", every(named("cat", "dog"), noted("3 broken pictures"))),
    Row("pictures/mask_01", "accuracy 1", every(AB, accurate(1))),
    Row("pictures/missing_in_val", "three classes", named("a", "b", "c")),
    Row("pictures/numeric", "in order of number", named("1", "02", "9", "10")),
    Row(
        "pictures/single",
        "an error",
        refused("cannot spare 1 for validation and 1 for the test"),
    ),
    Row("pictures/stack", "a note", every(AB, noted("8 pictures with several frames"))),
    Row("pictures/store", "read", named("cat", "dog")),
    Row("pictures/train_and_loose", "parts found", every(AB, sized(validation=16))),
    Row("pictures/train_images", "read", AB),
    Row("pictures/wrapped", "an error", refused("examples of one class only, 'dataset'")),
]
ROWS = [*TABLES, *ARRAYS, *PICTURES]
