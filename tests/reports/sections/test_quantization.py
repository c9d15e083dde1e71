import re

from ghostface_edge.reports.report import Report
from ghostface_edge.reports.sections.one_quantization import curve_plot
from ghostface_edge.reports.sections.quantization import latency_search


def test_a_curve_goes_down_step_by_step(deployed: Report) -> None:
    plot = curve_plot(deployed.variants[1].curve)
    middles = [float(y) for y in re.findall(r'<circle class="fill c0 int8"[^>]* cy="([\d.]+)"', plot)]
    assert middles == sorted(middles)
    assert "min-max ranges: 1st percentile -0.1000" in plot


def test_a_search_says_what_it_gained(deployed: Report) -> None:
    variant = deployed.variants[1]
    text = latency_search(variant)
    assert text is not None
    assert "of 24 assignments" in text
    assert "0.93 × [0.91, 0.95] the time of the same network wholly in INT8; 4.2 %" in text
    assert variant.latency_search is not None
    doubtful = variant.latency_search.model_copy(update={"versus_int8_ci95": (0.9, 1.02)})
    assert "no gain beyond chance" in str(latency_search(variant.model_copy(update={"latency_search": doubtful})))
    nothing = doubtful.model_copy(update={"float_share": 0.0})
    assert "none of 24 assignments" in str(latency_search(variant.model_copy(update={"latency_search": nothing})))
    assert latency_search(deployed.variants[0]) is None
