"""Bytes become letters: the right ones, or an error."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from neuropil import datasets
from neuropil.datasets import DataError
from neuropil.datasets.tables.files.encodings import check_encoding, decode

FILE = Path("table.csv")
FOUND = {
    "utf-8": ["süß,a\nrot,b", "长度,y\n1,狗", "plain,ascii\n1,2"],
    "cp1252": [
        *("süß,a\nrot,b", "température °C,1", "naïve café;x\nÄrzte;y", "price,5\n€5,6"),
        *("m²,µm\n1,2", "señor,niño,år", "“quoted”,x’s", "é,à\n1,2", "Größe\n1"),
    ],
    "gb18030": ["长度,y\n1,狗\n2,猫", "温度,良\n1,不良", "北京,上海\n1,广州", "高,低\n1,中"],
    "cp932": ["長さ,y\n1,犬\n2,猫", "温度,良\n1,不良", "東京,大阪", "ネコ,イヌ\n1,2"],
    "cp949": ["길이,y\n1,고양이\n2,개", "서울,부산\n대구,인천", "온도,상태\n1,좋음"],
    "big5": ["溫度,狀態\n1,良好\n2,不良", "台北,高雄"],
}
UNCLEAR = (
    ("koi8_r", "цвет,размер\nкрасный,1"),
    ("cp1251", "цвет,размер\nкрасный,1"),
    ("cp1250", "Wrocław,łódź\nGdańsk,2"),
    ("cp1250", "třída,b\nřidič,2\nšest,3"),
    ("iso8859_2", "třída,b\nžena,2\nmuž,3"),
    ("mac_roman", "süß,a\nrot,b"),
    ("cp850", "süß,a\nrot,b"),
    ("cp850", "Größe,a\nhöher,b"),
    ("cp949", "가,나,다\n예,1,2\n아니,1,2"),
    ("euc_jp", "長さ,y\n1,犬\n2,猫"),
    ("iso8859_7", "χρώμα,μέγεθος\nκόκκινο,1"),
    ("iso8859_8", "שלום,עולם"),
)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in FOUND.items() for text in texts]
)
def test_usual_encodings_are_found_by_their_letters(name, text):
    notes = []
    assert decode(text.encode(name), FILE, notes, asked=None) == text
    said = ["table.csv is not UTF-8: read as"] * (name != "utf-8")
    assert [note[: len(said[0])] for note in notes] == said if said else not notes


@pytest.mark.parametrize(("name", "text"), UNCLEAR)
def test_an_error_rather_than_wrong_letters(name, text):
    raw = text.encode(name)
    with pytest.raises(DataError, match=r"table.csv, line 1: the file is not UTF-8.*encoding="):
        decode(raw, FILE, [], asked=None)
    assert decode(raw, FILE, [], asked=name) == text


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_needs_no_name(name):
    text = "x1,größe\n-0.6,q\n"
    assert decode(text.encode(name), FILE, [], asked=None) == text


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_mark_is_no_part_of_the_first_name(name):
    raw = "a,b".encode("utf-16" if name == "utf-16" else "utf-8-sig")
    assert decode(raw, FILE, [], asked=name) == "a,b"


def test_bytes_that_do_not_fit_the_encoding_are_refused_with_their_line():
    with pytest.raises(DataError, match="line 2: the bytes are not text in utf-8"):
        decode(b"a,b\n\xff,1\n", FILE, [], asked="utf-8")
    with pytest.raises(DataError, match="not UTF-8"):
        decode("caf\u00e9,a\n".encode() * 20 + b"\x81\x8d,1", FILE, [], asked=None)


@pytest.mark.parametrize("name", ["foo", "base64", "rot13", "\0"])
def test_names_of_no_encoding_are_refused(name, write_table):
    with pytest.raises(DataError, match="is not known: choose one such as"):
        check_encoding(name)
    with pytest.raises(DataError, match="`encoding`"):
        datasets.open(write_table("a,b\n1,2\n"), encoding=name)


def test_the_training_encoding_serves_new_tables_that_are_not_unicode(write_table):
    lines = [f"{n},{'кот' if n % 2 else 'пёс'}" for n in range(20)]
    train = write_table("\n".join(["рост,зверь", *lines]).encode("cp1251"))
    preparation = datasets.open(train, encoding="cp1251").preparation
    for name in ("cp1251", "utf-8", "utf-16"):
        new = write_table("рост,зверь\n3,кот\n".encode(name), "new.csv")
        found, _ = datasets.read_for_evaluation(preparation, new)
        assert found.targets.tolist() == [0]


def test_encodings_are_for_tables(write_pictures):
    with pytest.raises(DataError, match="`encoding` does not apply to a folder of pictures"):
        datasets.open(write_pictures("a", "b"), encoding="gbk")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (
            gzip.compress(b"x,y\n1,a\n", mtime=0),
            "is compressed by gzip, not text.*ending .csv.gz",
        ),
        (bz2.compress(b"x,y\n1,a\n"), "is compressed by bzip2"),
        (lzma.compress(b"x,y\n1,a\n"), "is compressed by xz"),
        (b"PAR1\x15\x04\xff\xfe", "is a Parquet file, not text.*ending .parquet"),
    ],
    ids=["gzip", "bzip2", "xz", "parquet"],
)
def test_a_file_of_another_kind_is_named(content, kind):
    with pytest.raises(DataError, match=kind):
        decode(content, FILE, [], asked=None)
