from ghostface_edge.reports.renderings import html, markdown
from ghostface_edge.reports.report import Report


def test_times_of_a_busy_machine_are_said_to_be(report: Report) -> None:
    busy = tuple(
        variant.model_copy(update={"latency": variant.latency.model_copy(update={"beside_other_work": True})})
        for variant in report.variants
        if variant.latency
    )
    said = "Times were taken while this machine did other work of a matrix"
    for render in (html.render, markdown.render):
        assert said in render(report.model_copy(update={"variants": busy}))
        assert said not in render(report)
