"""Environment: tool, host and inputs, as far as the figures depend on them."""

from ghostface_edge.reports.blocks import Definitions, Span, Words
from ghostface_edge.reports.report import Host, Tool
from ghostface_edge.reports.section import Findings, Section


def environment(findings: Findings) -> Section:
    """What someone needs to know to measure the same again."""
    report = findings.report
    tool, host, data = report.tool, report.host, report.data
    items: list[tuple[str, Words]] = [("Tool", _tool(tool))]
    if tool.started:
        items.append(("Started", tool.started + ("" if tool.seconds is None else f", took {tool.seconds:.0f} s")))
    items += [
        ("Packages", ", ".join(f"{name} {version}" for name, version in tool.packages.items())),
        ("Host", _host(host)),
    ]
    if host.isa:
        items.append(("Instructions", " ".join(host.isa)))
    items.append(("Model", Span(report.model.sha256)))
    if report.model.preprocessing:
        items.append(("Input", report.model.preprocessing))
    items.append(("Pairs", (f"{data.pairs.path} ", Span(data.pairs.sha256))))
    if data.gallery is not None:
        items.append(("Gallery", (f"{data.gallery.path} ", Span(data.gallery.sha256))))
    items += [
        ("Calibration", (f"{data.calibration.path or ''} ", Span(data.calibration.sha256))),
    ]
    return Section("environment", "Environment", (Definitions(items),))


def _tool(tool: Tool) -> Words:
    words: list[str | Span] = [f"{tool.name} {tool.version}"]
    if tool.command:
        words += [", ", Span(tool.command)]
    if tool.seed is not None:
        words.append(f", seed {tool.seed}")
    return tuple(words)


def _host(host: Host) -> str:
    return (
        f"{host.cpu}, {host.physical_cores} cores, {host.logical_cores} threads, {host.memory_gb:.1f} GB, {host.os}, "
        f"{host.machine}, Python {host.python}"
    )
