"""A leak shows as growth, a warm-up and single outliers do not."""

import math
import os
import subprocess
import sys

import psutil
import pytest

from .growth import entries, growth, held


def test_a_warm_up_and_outliers_are_no_growth():
    assert growth([10, 50, 90, *[100.0] * 47, 500.0, *[100.0] * 49]) == 0


def test_a_leak_is_its_share_of_what_is_held_when_warm():
    assert growth([100.0 + run for run in range(100)]) == pytest.approx(194.5 / 114.5 - 1)
    assert growth([0] * 90 + [1] * 10) == math.inf


def test_too_few_values_tell_nothing():
    with pytest.raises(ValueError, match="19 values are too few"):
        growth([1.0] * 19)


def test_what_a_process_holds_is_counted(tmp_path):
    before = held(psutil.Process())
    with (tmp_path / "file").open("w"), subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child:
        block = bytearray(os.urandom(64 << 20))
        after = held(psutil.Process())
        child.communicate(b"\n")
    assert (after.files, after.children) == (before.files + 2, before.children + 1)
    assert after.anonymous_mb - before.anonymous_mb >= len(block) / 2**20 - 8
    assert entries(tmp_path) == 1
