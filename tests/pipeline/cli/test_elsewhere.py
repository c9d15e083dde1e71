"""`devices` as a user types it."""

import json

import pytest


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
