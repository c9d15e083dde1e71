from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings
from ghostface_edge.reports.sections.plots import latency_plot, pareto_plot, plots


def test_time_is_logarithmic_only_where_one_variant_dwarfs_the_others(report: Report, curves: ReportCurves) -> None:
    even = Findings(report, curves)
    assert "logarithmic" not in latency_plot(even)
    assert "logarithmic" not in pareto_plot(even)
    latency = report.variants[-1].latency
    assert latency is not None
    slow = latency.model_copy(update={"p50_ms": 15.0, "p90_ms": 15.5, "p99_ms": 16.0})
    variants = (*report.variants[:-1], report.variants[-1].model_copy(update={"latency": slow}))
    mixed = Findings(report.model_copy(update={"variants": variants}), curves)
    assert "logarithmic" in latency_plot(mixed)
    assert "logarithmic" in pareto_plot(mixed)


def test_what_needs_arrays_stays_away_without_them(report: Report, curves: ReportCurves) -> None:
    (bare,), (whole,) = (plots(findings).blocks for findings in (Findings(report), Findings(report, curves)))
    assert len(whole.blocks) == len(bare.blocks) + 1
