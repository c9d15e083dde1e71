import pytest

from ghostface_edge.targets.devices.refusals import LineBroken, explain
from ghostface_edge.targets.places.connection import ChildDeath

DEATH = ChildDeath("the process ended with exit code 255 during facts", fix="see log")


@pytest.mark.parametrize(
    ("printed", "says", "mend"),
    [
        ("Host key verification failed.", "its host key is not the known one", "ssh-keygen -R"),
        ("pi@pi4: Permission denied (publickey,password).", "it refuses this user", "ssh-copy-id"),
        ("ssh: Could not resolve hostname pi4: Name or service not known", "nobody knows that host", "HostName"),
        ("error: device 'R58M' not found", "adb does not see it", "adb devices"),
        ("error: no devices/emulators found", "adb does not see it", "cable"),
        ("error: device unauthorized.", "it does not trust this computer", "screen"),
        ("this far side needs Python 3.9", "its Python is too old", "devices.yaml"),
        ("ModuleNotFoundError: No module named 'numpy'", "its Python has no NumPy", "pip install numpy"),
        ("sh: 1: python3: not found", "it has no such Python", "devices.yaml"),
        ("OSError: [Errno 28] No space left on device", "its disk is full", "folder"),
    ],
)
def test_what_is_wrong_for_good(printed, says, mend):
    error = explain("pi4", DEATH, f"Debian GNU/Linux\n{printed}\n")
    assert (error.message, type(error)) == (f"pi4: {says}", ChildDeath)
    assert mend in error.fix


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ("ssh: connect to host pi4 port 22: Connection refused", "no SSH server listens there"),
        ("ssh: connect to host pi4 port 22: No route to host", "it cannot be reached"),
        ("Timeout, server pi4 not responding.\nclient_loop: send disconnect: Broken pipe", "the connection broke"),
        ("Connection to pi4 closed by remote host.", "the connection broke"),
        ("error: device offline", "adb sees it offline"),
        ("", "the process ended with exit code 255 during facts"),
    ],
)
def test_what_may_be_otherwise_in_a_minute(printed, says):
    error = explain("pi4", DEATH, printed)
    assert (error.message, type(error)) == (f"pi4: {says}", LineBroken)
    assert error.fix


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("the process ended with exit code 137 during embed", "was killed there by SIGKILL (often: out of memory)"),
        ("the process ended with exit code 139 during embed", "was killed there by SIGSEGV"),
        ("the process ended with exit code 159 during embed", "was killed there by SIGSYS"),
        ("the process ended with exit code 160 during embed", "ended with exit code 160"),
        ("the process ended with exit code 1 during embed", "ended with exit code 1"),
    ],
)
def test_what_a_shell_says_of_the_killed(message, says):
    error = explain("pi4", ChildDeath(message, fix="see log"), "")
    assert (error.message, type(error)) == (f"pi4: the process {says} during embed", ChildDeath)


def test_a_refused_file_is_no_refused_user():
    error = explain("pi4", DEATH, "PermissionError: [Errno 13] Permission denied: '/models'")
    assert "user" not in error.message
    assert "/models" in error.message
