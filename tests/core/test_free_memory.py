"""The memory that is free, and the refusal of what would not fit."""

import platform
import subprocess
import sys

import pytest

from neuropil.core import free_memory as module
from neuropil.core.free_memory import format_bytes, free_memory, require_memory


def test_free_memory_is_what_the_kernel_says(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 2000 kB\nMemAvailable: 1000 kB\n")
    monkeypatch.setattr(module, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(module, "CGROUP", tmp_path / "none")
    assert free_memory() == 1024_000


@pytest.mark.parametrize(("limit", "free"), [("500000", 310_000), ("max", 1024_000)])
def test_a_container_may_allow_less(tmp_path, monkeypatch, limit, free):
    (tmp_path / "meminfo").write_text("MemAvailable: 1000 kB\n")
    (tmp_path / "memory.max").write_text(limit)
    (tmp_path / "memory.current").write_text("200000")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 10000\n")
    monkeypatch.setattr(module, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    assert free_memory() == free


def test_without_the_kernels_word_it_is_the_machines_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MEMINFO", tmp_path / "none")
    assert free_memory() > 1e8


def test_what_does_not_fit_is_refused_with_both_figures(monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda: 2_000_000)
    require_memory(2_000_000, "this")
    with pytest.raises(MemoryError, match=r"this needs 2\.1 MB of memory, and 2 MB are free\."):
        require_memory(2_100_000, "this")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999.4, "999 B"), (999.6, "1 kB"), (1.25e9, "1.25 GB")]
)
def test_sizes_are_written_for_people(size, text):
    assert format_bytes(size) == text


FAULTS = """
import resource
from neuropil.core.free_memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    b"x" * 10**8
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = [faults(), faults()][1]
keep_freed_memory()
kept = [faults(), faults()][1]
print(given_back, kept)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc")
def test_freed_memory_is_kept_for_the_next_tensor():
    command = [sys.executable, "-c", FAULTS]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    given_back, kept = map(int, said.split())
    assert kept < given_back / 10
