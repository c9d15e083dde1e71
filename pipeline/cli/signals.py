"""Signals that ask the program to end, as an exception that closes what is open on its way."""

import signal
from types import FrameType
from typing import Final, NoReturn

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal came; no error, so that nothing which goes on after errors goes on after it.

    Args:
        number: the signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)

    @property
    def exit_code(self) -> int:
        """What shells say of a process that the signal ended."""
        return 128 + self.signal


def raise_signals() -> None:
    """Let the first of these signals raise `Ended`, and a second one end the process at once.

    What is ignored, as under `nohup`, stays so.
    """
    heeded = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        for each in heeded:
            signal.signal(each, signal.SIG_DFL)
        raise Ended(number)

    for number in heeded:
        signal.signal(number, end)
