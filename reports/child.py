"""Child processes that end with whoever started them. Run with `-m`, it makes one of a module and its arguments."""

import ctypes
import runpy
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""Of <linux/prctl.h>."""


def follow_parent() -> None:
    """From here on the kernel ends this process when the thread that started it ends, also in the midst of native code.

    An interruption from the keyboard, which reaches every process of a terminal, is left to the parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    follow_parent()
    sys.argv[:] = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
