"""Why a device did not answer, from what was printed on the way to it: one clear error with the mend."""

import re
import signal
from typing import Final

from ghostface_edge.reports.printable import printable, shortened
from ghostface_edge.targets.places.connection import ChildDeath

_FOR_GOOD: Final[tuple[tuple[str, str, str], ...]] = (
    ("Host key verification failed", "its host key is not the known one", "compare it, then `ssh-keygen -R HOST`"),
    (
        r"Permission denied \(",
        "it refuses this user",
        "set up a key: `ssh-copy-id USER@HOST`; passwords are not asked for",
    ),
    ("Could not resolve hostname", "nobody knows that host", "check the name, or give `HostName` in ~/.ssh/config"),
    ("device .* not found|no devices/emulators", "adb does not see it", "check the cable, and `adb devices`"),
    ("device unauthorized", "it does not trust this computer", "confirm the key on the device's screen"),
    (
        "^this far side needs Python 3.9",
        "its Python is too old",
        "install Python 3.9 or newer, and name it as `python` in devices.yaml",
    ),
    ("No module named 'numpy'", "its Python has no NumPy", "there: `python3 -m pip install numpy`"),
    ("python.*(not found|No such file)", "it has no such Python", "name it as `python` in devices.yaml"),
    ("No space left on device", "its disk is full", "make room there, or name another `folder` in devices.yaml"),
)
"""Pattern of what is printed, what is wrong, what to do."""
_FOR_NOW: Final[tuple[tuple[str, str, str], ...]] = (
    ("Connection refused", "no SSH server listens there", "start sshd there, or name its port in ~/.ssh/config"),
    ("timed out|No route to host|unreachable", "it cannot be reached", "check power, cable and address"),
    ("device offline", "adb sees it offline", "plug it in again"),
    ("reset by|broken pipe|closed by|lost connection", "the connection broke", "run it again: what came is kept"),
)
"""The same, of what may be otherwise in a minute."""
_LINE_LOST: Final = re.compile(r"exit code 255|did nothing for|SIGHUP|SIGPIPE")
_KILLED_THERE: Final = re.compile(r"ended with exit code (1(?:29|[3-5]\d))\b")
"""A shell's word for a signal: 128 and its number."""


class LineBroken(ChildDeath):
    """The way to a device broke; what runs there may be as it was."""


def explain(device: str, error: ChildDeath, printed: str) -> ChildDeath:
    """The same death, said as what it was, if what was printed tells."""
    for known, kind in ((_FOR_GOOD, ChildDeath), (_FOR_NOW, LineBroken)):
        for pattern, what, fix in known:
            if re.search(pattern, printed, re.IGNORECASE | re.MULTILINE):
                return kind(f"{device}: {what}", fix=fix)
    if _KILLED_THERE.search(error.message):
        printed = ""  # the shell there prints the whole command
    last = next((line for line in reversed(printed.splitlines()) if line.strip()), "")
    said = f" ({shortened(printable(last.strip()), 200)})" if last else ""
    kind = LineBroken if _LINE_LOST.search(error.message) else ChildDeath
    return kind(f"{device}: {_KILLED_THERE.sub(_signal, error.message)}{said}", fix=error.fix)


def _signal(code: re.Match[str]) -> str:
    number = int(code[1]) - 128
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"was killed there by {name}" + (" (often: out of memory)" if number == signal.SIGKILL else "")
