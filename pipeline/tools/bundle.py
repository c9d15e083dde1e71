"""A run's models and evidence in one zip that proves itself.

In: the output folder of a run. Out: the same bytes for the same run: what its report names and nothing else, in sorted
order, then the SHA-256 of all that in `MANIFEST.json`. The pages are made from report.json alone, without the plots and
faces that need more, so that a check can make them again. A check extracts nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NoReturn

from ghostface_edge.pipeline.tools.archive import BLOCK_BYTES, Archive, Writer, opened
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file, read_bytes
from ghostface_edge.reports.write import replacing

if TYPE_CHECKING:
    from ghostface_edge.pipeline.tools.shipped import Model, Refuse, Shipped
    from ghostface_edge.reports.report import Report

EVIDENCE: Final = ("junit.xml", "report.html", "report.json", "report.md")
"""What every run writes."""
MANIFEST: Final = "MANIFEST.json"
"""What a bundle adds."""
_REPORT = "report.json"
_MAX_REPORT_BYTES = 16 * 2**20
"""With every changed decision on LFW it takes 4 MB."""
_RUN_AGAIN = "run again, then bundle"
_GET_AGAIN = "get the bundle again from where it was made"


def write_bundle(run_dir: Path, output: Path) -> list[str]:
    """Pack the report, the pages and the files that it names; returns the packed names.

    Raises:
        InputError: not the output of a run; a file is missing, outside it, behind a link, or not the one that was
            measured; the bundle cannot be written. Nothing is left behind.
    """
    from ghostface_edge.reports.report import Report

    def refuse(problem: str) -> NoReturn:
        raise InputError(f"{run_dir}: {problem}", fix=_RUN_AGAIN)

    for name in EVIDENCE:
        _refuse_link(run_dir, name)
    stated = read_bytes(run_dir / _REPORT, fix="give the output folder of a run", at_most=_MAX_REPORT_BYTES)
    report = Report.from_json(stated, str(run_dir / _REPORT))
    shipped = _shipped(report, refuse)
    made = {_REPORT: stated, **_pages(report, refuse)}
    hashes = {}
    with replacing(output) as partial:
        with partial.open("wb") as file:
            writer = Writer(file)
            for name in _in_order(shipped):
                hashes[name] = writer.add(name, [made[name]] if name in made else _content(run_dir, name))
            writer.add(MANIFEST, [_manifest(hashes)])
            writer.finish()
        with opened(partial, where=str(run_dir), fix=_RUN_AGAIN) as archive:
            _check(archive, report)
    return list(hashes)


def check_bundle(path: Path) -> "Report":
    """Account for every byte of a bundle and for all that follows from its report; returns the report.

    Raises:
        InputError: damaged, incomplete, added to, contradictory, or not a bundle; what is at fault is named.
    """
    with opened(path, where=str(path), fix=_GET_AGAIN) as archive:
        from ghostface_edge.reports.report import Report  # what its headers give away costs no import

        report = Report.from_json(archive.read(_REPORT, _MAX_REPORT_BYTES), f"{path}: {_REPORT}")
        _check(archive, report)
    return report


def _check(archive: Archive, report: "Report") -> None:
    """Hold the files to the report and the manifest, and whatever follows from the report's figures to these."""
    from ghostface_edge.reports.stored_gate import contradiction

    shipped = _shipped(report, archive.refuse)
    hashes = _check_files(archive, shipped)
    _check_models(archive, shipped.models)
    if problem := contradiction(report):
        _refuse_claim(archive, report, problem)
    for name, page in _pages(report, archive.refuse).items():
        if hashes[name] != _sha256([page]):
            _refuse_claim(archive, report, f"{name} does not follow from {_REPORT}")


def _check_files(archive: Archive, shipped: "Shipped") -> dict[str, str]:
    """Hold every file to its name and its hashes; returns the hashes."""
    due = [*_in_order(shipped), MANIFEST]
    for name in sorted(archive.members.keys() ^ set(due)):
        archive.refuse(f"{name} is missing" if name in due else f"it holds {name}, which its report does not name")
    if list(archive.members) != due:
        archive.refuse("its files are not in the order that a bundle has")
    hashes = {name: _sha256(archive.blocks(name)) for name in due[:-1]}
    _check_manifest(archive, hashes)
    for name, sha256 in shipped.files.items():
        if sha256 not in {None, hashes[name]}:
            archive.refuse(f"{name} is not the file that the report is about")
    return hashes


def _check_models(archive: Archive, models: "Iterable[Model]") -> None:
    for model in models:
        size = sum(archive.members[name].size for name in model.files)
        sha256 = _sha256(block for name in model.files for block in archive.blocks(name))
        if (size, sha256) != (model.bytes, model.sha256):
            archive.refuse(f"{model.variant} is not the model that was measured")


def _refuse_claim(archive: Archive, report: "Report", problem: str) -> NoReturn:
    """Refuse what another release of this tool may have said in other words."""
    from importlib.metadata import version

    theirs = report.tool.version
    if theirs != version("ghostface-edge"):
        archive.refuse(problem, fix=f"check it with the release that says to have made it, ghostface-edge {theirs}")
    archive.refuse(problem)


def _check_manifest(archive: Archive, hashes: Mapping[str, str]) -> None:
    due = _manifest(hashes)
    stated = archive.read(MANIFEST, at_most=len(due) + BLOCK_BYTES)
    if stated == due:
        return
    lines = stated.decode(errors="replace").splitlines()
    for name, line in zip(hashes, due.decode().splitlines()[1:], strict=False):
        if line not in lines:
            archive.refuse(f"{name} has changed since it was bundled, or {MANIFEST} has")
    archive.refuse(f"{MANIFEST} says more than what is in the bundle")


def _manifest(hashes: Mapping[str, str]) -> bytes:
    return json.dumps(hashes, indent=2).encode()


def _shipped(report: "Report", refuse: "Refuse") -> "Shipped":
    from ghostface_edge.pipeline.tools.shipped import shipped_files

    return shipped_files(report, {*EVIDENCE, MANIFEST}, refuse)


def _in_order(shipped: "Shipped") -> list[str]:
    return sorted((*EVIDENCE, *shipped.files))


def _pages(report: "Report", refuse: "Refuse") -> dict[str, bytes]:
    """What follows from the report alone."""
    from ghostface_edge.reports.renderings.report_files import pages

    try:
        return {name: page.encode() for name, page in pages(report).items()}
    except (ArithmeticError, ValueError) as error:
        refuse(f"the figures of {_REPORT} cannot be drawn ({error})")


def _content(run_dir: Path, name: str) -> Iterator[bytes]:
    """A file of the run, block by block.

    Raises:
        InputError: missing, no ordinary file, behind a link, or the disk failed.
    """
    _refuse_link(run_dir, name)
    with open_file(run_dir / name, fix=_RUN_AGAIN) as file:
        try:
            while block := file.read(BLOCK_BYTES):
                yield block
        except OSError as error:
            raise InputError(f"{run_dir / name} cannot be read: {error.strerror}", fix=_RUN_AGAIN) from None


def _refuse_link(run_dir: Path, name: str) -> None:
    """Refuse a link below the run's folder: what it leads to need not be the run's."""
    for place in (PurePosixPath(name), *PurePosixPath(name).parents[:-1]):
        if (run_dir / place).is_symlink():
            raise InputError(f"{run_dir / place} is a link, and a run makes none", fix=_RUN_AGAIN)


def _sha256(content: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for block in content:
        digest.update(block)
    return digest.hexdigest()
