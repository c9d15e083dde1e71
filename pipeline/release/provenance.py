"""A run's own account of itself: what went in, which steps made which files, and with which versions.

In: a job, its report, the steps that ran. Out: `provenance.json` in the output folder, an in-toto statement with SLSA's
provenance as its predicate, which a bundle carries and `reproduce` follows.
"""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ghostface_edge.pipeline.release.agreement import input_hashes, shipped_hashes
from ghostface_edge.pipeline.release.statement import (
    PYPI,
    BuildDefinition,
    Builder,
    BuildMetadata,
    Digest,
    Making,
    Provenance,
    ProvenanceStatement,
    Request,
    Resource,
    RunDetails,
    StageRecord,
)
from ghostface_edge.pipeline.stages.context import Ran
from ghostface_edge.pipeline.support.code_version import code_version
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.report import Report

MAKE_FILES: Final = ("export", "quantize", "convert", "precision-search", "lower", "firmware")
"""Names of the stages whose outcome ships, or leads to what ships."""
_TOOL: Final = "ghostface-edge"


def provenance(report: Report, request: Request, ran: Iterable[Ran]) -> ProvenanceStatement:
    """Say how the models of a report came about.

    Args:
        report: with its gate and its files.
        request: what was asked for.
        ran: the steps, in order.
    """
    predicate = Provenance(
        build_definition=BuildDefinition(
            external_parameters=request,
            internal_parameters=Making(code=code_version(), host=report.host, stages=stages(ran)),
            resolved_dependencies=(*_inputs(report), *_packages()),
        ),
        run_details=RunDetails(
            builder=Builder(version={_TOOL: report.tool.version}),
            metadata=BuildMetadata(started_on=report.tool.started),
        ),
    )
    return ProvenanceStatement.of(shipped_hashes(report), predicate)


def stages(ran: Iterable[Ran]) -> tuple[StageRecord, ...]:
    """Steps that made files, each once, with the hashes of these."""
    found = {one.folder.name: one for one in ran if one.stage in MAKE_FILES}
    return tuple(
        StageRecord.model_validate({"name": one.stage, "key": key, "inputs": one.inputs, "files": _made(one.folder)})
        for key, one in found.items()
    )


def _made(folder: Path) -> dict[str, str]:
    """Files of a step but for those that say how long it took and what was found on the way."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in {".json", ".npy", ""}]
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in paths}


def _inputs(report: Report) -> list[Resource]:
    """The checkpoint, and sets of faces by the hash that the report has of them."""
    return [Resource(name=name, digest=Digest(sha256=sha256)) for name, sha256 in input_hashes(report).items()]


def _packages() -> list[Resource]:
    return [Resource(uri=f"{PYPI}{name}@{version}") for name, version in installed_packages().items()]


def installed_packages() -> dict[str, str]:
    """Versions of this tool and of every package that it or its extras require, as far as they are installed."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    pending = [(_TOOL, extra) for extra in ("", *_extras())]
    while pending:
        name, extra = pending.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue
        found[name] = one.version
        for text in one.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                pending += [(canonicalize_name(needed.name), one) for one in ("", *needed.extras)]
    return dict(sorted(found.items()))


def _extras() -> list[str]:
    try:
        return distribution(_TOOL).metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []
