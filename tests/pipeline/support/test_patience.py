"""Work with a deadline."""

from threading import Event

import pytest

from ghostface_edge.pipeline.support.patience import within


def test_an_answer_in_time_is_the_answer():
    assert within(60, lambda: 7) == 7


def test_what_goes_wrong_is_raised_where_it_is_waited_for():
    with pytest.raises(KeyError, match="x"):
        within(60, lambda: {}["x"])


def test_what_takes_too_long_is_given_up():
    until = Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        within(0.01, until.wait)
    until.set()


def test_a_timeout_of_the_work_itself_stays_what_it_is():
    def work():
        raise TimeoutError("the socket")

    with pytest.raises(TimeoutError, match="the socket"):
        within(60, work)
