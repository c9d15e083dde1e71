import re

import pytest

from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.plots import bars, curve_plot, latency_plot, pareto_plot, role_plot, shortened
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.time_shares import time_shares


def test_stacked_bars_fill_the_whole(deployed: Report) -> None:
    shares = time_shares(deployed)
    plot = role_plot(shares)
    widths = [float(width) for width in re.findall(r'<rect class="fill [a-z]+"[^>]* width="([\d.]+)"', plot)]
    assert len(widths) == 1 + 4 + 1
    # three bars, each as long as the axis
    assert sum(widths) == pytest.approx(3 * widths[0], abs=0.5)
    assert 'class="fill quantize"' in plot


def test_a_curve_goes_down_step_by_step(deployed: Report) -> None:
    plot = curve_plot(deployed.variants[1].curve)
    middles = [float(y) for y in re.findall(r'<circle class="fill c0 int8"[^>]* cy="([\d.]+)"', plot)]
    assert middles == sorted(middles)
    assert "min-max ranges: 1st percentile -0.1000" in plot


def test_time_is_logarithmic_only_where_one_variant_dwarfs_the_others(report: Report, curves: ReportCurves) -> None:
    assert "logarithmic" not in latency_plot(report, curves)
    assert "logarithmic" not in pareto_plot(report)
    latency = report.variants[-1].latency
    assert latency is not None
    slow = latency.model_copy(update={"p50_ms": 15.0, "p90_ms": 15.5, "p99_ms": 16.0})
    variants = (*report.variants[:-1], report.variants[-1].model_copy(update={"latency": slow}))
    mixed = report.model_copy(update={"variants": variants})
    assert "logarithmic" in latency_plot(mixed, curves)
    assert "logarithmic" in pareto_plot(mixed)


def test_bars_take_colours_and_keep_the_end_of_long_names() -> None:
    plot = bars("Profile", "ms", [("a" * 40 + "end", 1.0), ("short", 0.5)], ["float", None])
    assert plot.count('class="fill float"') == 1
    assert plot.count('class="fill c0"') == 1
    assert shortened("a" * 40 + "end").endswith("end")
    assert len(shortened("a" * 40)) == 34
