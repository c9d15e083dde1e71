"""Work that may hang, done with a deadline."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Answer = TypeVar("Answer")


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """Do something in a thread and wait for it no longer than that.

    What hangs in the kernel, as a mount does whose server is gone, cannot be ended; its thread is left behind, and dies
    with the process.

    Raises:
        TimeoutError: it was not done in time.
    """
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        if answer.done():
            raise  # the work's own
        raise TimeoutError(f"no answer within {seconds:g} s") from None
