"""Whether a run's account of itself and its report tell of one run, and whether the verdict follows from both.

In: a report and the statement of where its models come from. Out: the first disagreement, or None.
"""

from collections.abc import Iterator, Mapping

from ghostface_edge.pipeline.release.shipped import Model
from ghostface_edge.pipeline.release.statement import ProvenanceStatement
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.stored_gate import contradiction


def input_hashes(report: Report) -> dict[str, str]:
    """What a run took, by name: SHA-256 of the checkpoint, and of sets of faces as the report states them."""
    data = report.data
    found = {"checkpoint": report.model.sha256, "calibration": data.calibration.sha256}
    found |= {f"pairs {one.name}": one.sha256 for one in (data.pairs, *data.further_pairs)}
    return found | ({} if data.gallery is None else {f"gallery {data.gallery.name}": data.gallery.sha256})


def shipped_hashes(report: Report) -> dict[str, str]:
    """Every file that the report names with its hash."""
    return {name: sha256 for variant in report.local_variants for name, sha256 in variant.files.items()}


def disagreement(report: Report, statement: ProvenanceStatement, models: Mapping[str, Model]) -> str | None:
    """Say where a statement and a report differ.

    Args:
        report: of a run.
        statement: of the same run.
        models: of the report, by variant.
    """
    return next(_disagreements(report, statement, models), None)


def _disagreements(report: Report, statement: ProvenanceStatement, models: Mapping[str, Model]) -> Iterator[str]:
    tool, request, making = report.tool, statement.request, statement.making
    taken = {one.name: one.digest.sha256 for one in statement.dependencies if one.name and one.digest}
    named = {one.name: one.digest.sha256 for one in statement.subject}
    packages = statement.packages
    told = {
        "start": (statement.predicate.run_details.metadata.started_on, tool.started),
        "tool's version": (statement.predicate.run_details.builder.version.get(tool.name), tool.version),
        "seed": (request.seed, tool.seed or 0),
        "host": (making.host, report.host),
        "policy": (request.policy.name, report.gate.policy),
        "packages": ({name: packages.get(name) for name in tool.packages}, tool.packages),
        "inputs": (taken, input_hashes(report)),
    }
    for what, (stated, reported) in told.items():
        if stated != reported:
            yield f"its provenance and its report differ in the run's {what}"
    for name, sha256 in shipped_hashes(report).items():
        if named.get(name) != sha256:
            yield f"{name} is not the file that its provenance is about"
    if extra := sorted(named.keys() - shipped_hashes(report).keys()):
        yield f"its provenance is about {extra[0]}, which its report does not name"
    made = {sha256 for stage in making.stages for sha256 in stage.files.values()}
    for model in models.values():
        for name in model.files:
            if name in named and named[name] not in made:
                yield f"{name}: no step of its provenance made that file"


def verdict_problem(report: Report, recorded: Policy, asked: Policy | None, *, same_code: bool) -> str | None:
    """Say what speaks against a report's verdict; None where it follows.

    Args:
        report: with its gate.
        recorded: the policy that the run was judged by.
        asked: one to judge by beside it.
        same_code: whether this very release of the tool judged; another one may put the same into other words.
    """
    day = report.tool.day
    if report.gate.baseline is None:
        gate = judge_report(report, recorded, today=day).gate
        if gate.verdict != report.gate.verdict:
            return f"its verdict is {report.gate.verdict}, but by its own policy, {recorded.name}, it is {gate.verdict}"
    if same_code and (problem := contradiction(report)):
        return problem
    if same_code and report.gate.baseline is None and gate != report.gate:
        return f"its gate is not what its own policy, {recorded.name}, gives"
    if asked is not None:
        verdict = judge_report(report, asked, today=day).gate.verdict
        if verdict != report.gate.verdict:
            return f"its verdict is {report.gate.verdict}, but by the policy {asked.name} it is {verdict}"
    return None
