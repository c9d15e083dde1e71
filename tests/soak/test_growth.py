"""A leak shows as growth, a warm-up and single outliers do not."""

import math
import subprocess
import sys

import psutil
import pytest

from .growth import entries, growth, held

_HOLDING = """
import os, subprocess, sys
print("now", flush=True)
input()
with open(sys.argv[1], "w"), subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child:
    block = bytearray(os.urandom(64 << 20))
    print("now", flush=True)
    input()
    child.communicate(b"\\n")
"""
"""A process of its own: one that freed much takes new memory from what it still has."""


def test_a_warm_up_and_outliers_are_no_growth():
    assert growth([10, 50, 90, *[100.0] * 47, 500.0, *[100.0] * 49]) == 0


def test_a_leak_is_its_share_of_what_is_held_when_warm():
    assert growth([100.0 + run for run in range(100)]) == pytest.approx(194.5 / 114.5 - 1)
    assert growth([0] * 90 + [1] * 10) == math.inf


def test_too_few_values_tell_nothing():
    with pytest.raises(ValueError, match="19 values are too few"):
        growth([1.0] * 19)


def test_what_a_process_holds_is_counted(tmp_path):
    command = [sys.executable, "-c", _HOLDING, str(tmp_path / "file")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def now():
            assert process.stdout.readline() == "now\n"
            counted = held(psutil.Process(process.pid))
            print(file=process.stdin, flush=True)
            return counted

        before, after = now(), now()
    assert process.returncode == 0
    assert (after.files, after.children) == (before.files + 2, before.children + 1)
    assert after.anonymous_mb - before.anonymous_mb >= 64 - 8
    assert entries(tmp_path) == 1
