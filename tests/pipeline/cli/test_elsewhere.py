"""Devices and what parts on them, as a user types it."""

import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest

BOARD = Path(__file__).parents[2] / "targets/diagnosis/faulty_board.py"


def model(finished, ending):
    (found,) = (finished[1] / "models").glob(f"*-{ending}")
    return found


def test_localize_names_a_mistake_and_accuses_nobody_without_one(finished, cli, few_faces, tmp_path):
    there = tmp_path / "mistake"
    device = f"exec:{shlex.join([sys.executable, str(BOARD), str(there)])}"
    command = ("localize", model(finished, "tflite-int8.tflite"), "--device", device, "--calibration", few_faces)
    there.write_text("bgr")
    done = cli(*command, "--json", HOME=str(tmp_path))
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["verdict"], found["cause"]) == ("fault", "colour order: BGR instead of RGB")
    assert (found["operator"], found["faces"], found["equal_faces"]) == ("input", 8, 0)
    there.write_text("channels shifted")
    done = cli(*command, HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.startswith("channels are shifted by 3\n  fix: read the output from its first value on\n")
    there.write_text("none")
    done = cli(*command, HOME=str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == [
        "the same bytes",
        "  8 of 8 embeddings have the same bytes; cosine 1.00000, at least 1.00000",
    ]


def test_localize_refuses_devices_and_runtimes_that_it_cannot_reach(finished, cli, tmp_path):
    given = model(finished, "tflite-int8.tflite")
    unknown = cli("localize", given, "--device", "cortex-a27")
    assert unknown.returncode == 2
    assert "did you mean 'cortex-a7" in unknown.stderr
    firmware = shutil.copy(given, tmp_path / "net-tflite-micro-int8.tflite")
    micro = cli("localize", firmware, "--device", "local")
    assert micro.returncode == 2
    assert "tflite-micro has no far side on devices" in micro.stderr


def test_the_list(cli):
    done = cli("devices")
    assert done.returncode == 0
    assert "local (local): ready to be asked" in done.stdout
    assert "cortex-a72 (qemu:cortex-a72)" in done.stdout


def test_this_host_is_checked(cli):
    done = cli("devices", "local", "--json")
    assert done.returncode == 0, done.stderr
    (checked,) = json.loads(done.stdout)
    assert checked["usable"]
    assert checked["facts"]["versions"]["numpy"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("locla",), 2, "did you mean 'local'"),
        (("install", "gem5"), 2, "ghostface-edge devices install qemu"),
        (("exec:false",), 3, "exit code 1"),
    ],
)
def test_what_goes_wrong(cli, arguments, code, says):
    done = cli("devices", *arguments)
    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
