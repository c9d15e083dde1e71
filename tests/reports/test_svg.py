import re
import xml.etree.ElementTree as ET

import pytest

from ghostface_edge.reports.svg import Axis, Chart, standalone


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (Axis("", 0.85, 1.0), ["0.85", "0.90", "0.95", "1.00"]),
        (Axis("", 0.0, 4.7), ["0", "1", "2", "3", "4"]),
        (Axis("", 1 / 3_000, 1.0, log=True), ["0.001", "0.01", "0.1", "1"]),
        (Axis("", 0.4, 14.0, log=True), ["0.5", "1", "2", "5", "10"]),
        (Axis("", 1e-6, 1e-4, log=True), ["10⁻⁶", "10⁻⁵", "0.0001"]),
        (Axis("", 2e-5, 0.5, deviate=True), ["0.01 %", "0.1 %", "1 %", "5 %", "20 %", "40 %"]),
    ],
)
def test_ticks_are_round(axis: Axis, labels: list[str]) -> None:
    assert [label for _, label in axis.ticks()] == labels


def test_places() -> None:
    assert Axis("", 0.01, 1.0, log=True).place(0.1) == pytest.approx(0.5)
    assert Axis("", 0.01, 1.0, log=True).place(0.0) == 0.0
    assert Axis("", 2.0, 4.0).place(5.0) == 1.0


def test_normal_deviates_are_spaced_as_a_normal_distribution_is() -> None:
    """15.87 % and 2.28 % lie one and two standard deviations below the middle."""
    axis = Axis("", 0.0227501, 0.5, deviate=True)
    assert axis.place(0.1586553) == pytest.approx(0.5, abs=1e-5)
    assert (axis.place(0.0), axis.place(0.9)) == (0.0, 1.0)


def test_hover_texts_are_escaped() -> None:
    chart = Chart("<title>", Axis("x & y", 0, 1), Axis("y", 0, 1))
    chart.line([0, 0, 1], [0, 0, 1], "c0", "<script>")
    text = chart.render()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "x &amp; y" in text
    # the second of two equal points is left out
    assert text.count(",") == 2


def test_charts_of_a_file_stand_below_each_other() -> None:
    charts = [Chart(name, Axis("x", 0, 1), Axis(name, 0, 1), height=100) for name in ("first", "second")]
    root = ET.fromstring(standalone("<run>", charts))
    frames = root.findall("{http://www.w3.org/2000/svg}svg")
    assert [frame.get("y") for frame in frames] == ["28", "128"]
    assert root.get("height") == "228"
    assert "prefers-color-scheme: dark" in ET.tostring(root, encoding="unicode")


def test_points_closer_than_an_eye_tells_are_left_out_but_not_the_ends() -> None:
    chart = Chart("many", Axis("x", 0, 1), Axis("y", 0, 1))
    xs = [number / 10_000 for number in range(10_001)]
    chart.line(xs, xs, "c0", "")
    points = re.findall(r"[\d.]+,[\d.]+", re.search(r'points="([^"]+)"', chart.render())[1])
    assert 500 < len(points) < 1_200
    assert points[0] == f"{chart.px(0):g},{chart.py(0):g}"
    assert points[-1] == f"{chart.px(1):g},{chart.py(1):g}"


def test_an_axis_of_names_shows_as_many_as_there_is_room_for() -> None:
    axis = Axis("", -0.5, 39.5, names=[f"a-release-called-v1.{run}" if run == 10 else f"v1.{run}" for run in range(40)])
    assert axis.ticks() == [(0, "v1.0"), (10, "a-release…"), (20, "v1.20"), (30, "v1.30")]
    assert Axis("", -0.5, 1.5, names=["a", "2026-01-01 07:30"]).ticks() == [(0, "a"), (1, "2026-01-01")]
