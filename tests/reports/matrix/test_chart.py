"""Accuracy over latency: the front is what nothing beats, and of very many dots it is what stays."""

import pytest

from ghostface_edge.reports.matrix import chart
from ghostface_edge.reports.matrix.results import Row
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import Metric

from .made import died


def _row(accuracy: float, ms: float, place: str = "a CPU") -> Row:
    figures = {
        Metric.ACCURACY: Measurement("accuracy", accuracy, "", (accuracy - 0.01, accuracy + 0.01)),
        Metric.P50_MS: Measurement("median latency", ms, "ms"),
    }
    return Row(died("a", "x"), "tflite-int8", "local", place, ("lfw", "0" * 64), figures=figures)


def test_the_front_is_what_nothing_there_is_faster_and_as_good_as() -> None:
    rows = [_row(0.97, 1.0), _row(0.99, 2.0), _row(0.98, 3.0), _row(0.90, 9.0, "pi4")]
    drawn = chart.over_time(rows)
    assert drawn is not None
    assert drawn.plot.count('r="6"') == 3
    assert drawn.plot.count('r="3.5"') == 1
    assert drawn.plot.count('class="line solid') == 1
    assert drawn.plot.count("whisker") == 4
    assert "98.00 % (97.00 … 99.00), 3.00 ms" in drawn.plot
    assert [name for _, name in drawn.legend] == ["a CPU, lfw", "pi4, lfw"]


def test_dots_beyond_the_bound_are_counted_and_the_front_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "MOST_DOTS", 3)
    drawn = chart.over_time([*(_row(0.9, 2.0 + number) for number in range(6)), _row(0.99, 1.0)])
    assert drawn is not None
    assert drawn.plot.count("<circle") == 3
    assert drawn.plot.count('r="6"') == 1
    assert "4 dots behind the fronts are left out" in drawn.caption


def test_nothing_is_drawn_where_no_time_was_taken() -> None:
    assert chart.over_time([Row(died("a", "x"), "tflite-int8", "local", "a CPU", ("lfw", ""))]) is None
