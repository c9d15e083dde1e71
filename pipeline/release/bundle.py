"""A run's models and evidence in one zip that anyone can check.

In: the output folder of a run, maybe a key. Out: the same bytes for the same run and key: what its report names, what a
run keeps beside that, what follows from these, then `manifest.json` and the signatures. A bundle is checked before it
appears.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NoReturn

from ghostface_edge.pipeline.release.archive import BLOCK_BYTES, Writer, opened
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file, read_bytes
from ghostface_edge.reports.write import replacing

if TYPE_CHECKING:
    from ghostface_edge.pipeline.release.manifest import FileEntry
    from ghostface_edge.pipeline.release.statement import ProvenanceStatement
    from ghostface_edge.pipeline.support.dsse import Signer

_RUN_AGAIN: Final = "run again, then bundle"
_MAX_PROVENANCE_BYTES: Final = 4 * 2**20


def write_bundle(
    run_dir: Path,
    output: Path,
    *,
    variants: Sequence[str] = (),
    devices: Sequence[str] = (),
    signer: "Signer | None" = None,
) -> list[str]:
    """Pack a run; returns the packed names.

    Args:
        run_dir: its output folder.
        output: the zip.
        variants: ids of those whose files go in; all of them if none.
        devices: only variants that ran there.
        signer: signs the files and the verdict.

    Raises:
        InputError: not the output of a run; a file is missing, outside it, behind a link, or not the one that was
            measured; the bundle cannot be written. Nothing is left behind.
    """
    from ghostface_edge.pipeline.release import contents
    from ghostface_edge.pipeline.release.check import check
    from ghostface_edge.pipeline.release.manifest import MANIFEST, FileEntry, describe
    from ghostface_edge.pipeline.release.shipped import shipped_files
    from ghostface_edge.pipeline.release.signatures import (
        MODEL_SIGNATURE,
        VERDICT_SIGNATURE,
        model_statement,
        verdict_statement,
    )
    from ghostface_edge.reports.report import MAX_REPORT_BYTES, Report

    def refuse(problem: str) -> NoReturn:
        raise InputError(f"{run_dir}: {problem}", fix=_RUN_AGAIN)

    def read(name: str, at_most: int = contents.MAX_DATASHEET_BYTES) -> bytes:
        _refuse_link(run_dir, name)
        return read_bytes(run_dir / name, fix="give the output folder of a run", at_most=at_most)

    for name in contents.PAGES:
        _refuse_link(run_dir, name)
    report = Report.from_json(read(contents.REPORT, MAX_REPORT_BYTES), str(run_dir / contents.REPORT))
    shipping = contents.chosen_variants(report, variants, devices)
    provenance = _provenance(run_dir, read)
    along = [name for name in contents.ALONG if (run_dir / name).exists()]
    along += contents.runner_files(run_dir, refuse)
    beside = {contents.REPORT, *contents.MADE, *along, MANIFEST, MODEL_SIGNATURE, VERDICT_SIGNATURE}
    shipped = shipped_files(report.model_copy(update={"variants": shipping}), beside, refuse)
    taken = {name: _entry(run_dir, name) for name in (contents.REPORT, *along, *shipped.files)}
    for name, sha256 in shipped.files.items():
        if sha256 not in {None, taken[name].sha256}:
            refuse(f"{name} is not the file that the report is about")
    sheets = contents.datasheets(shipping, read, str(run_dir), _RUN_AGAIN)
    bare = describe(report, shipping, provenance, sheets, taken)
    made = contents.made_documents(bare, report, refuse)
    entries = taken | {name: FileEntry(bytes=len(data), sha256=_sha256(data)) for name, data in made.items()}
    manifest = bare.model_copy(update={"files": dict(sorted(entries.items()))})
    with replacing(output) as partial:
        with partial.open("wb") as file:
            writer = Writer(file)
            hashes = {
                name: writer.add(name, [made[name]] if name in made else _content(run_dir, name))
                for name in manifest.files
            }
            hashes[MANIFEST] = writer.add(MANIFEST, [manifest.to_json().encode()])
            if signer is not None:
                verdict = signer.sign(verdict_statement(manifest, report)).to_json().encode()
                hashes[VERDICT_SIGNATURE] = writer.add(VERDICT_SIGNATURE, [verdict])
                files = signer.sign(model_statement(report.model.name, hashes)).to_json().encode()
                hashes[MODEL_SIGNATURE] = writer.add(MODEL_SIGNATURE, [files])
            writer.finish()
        with opened(partial, where=str(run_dir), fix=_RUN_AGAIN) as archive:
            check(archive)
    return list(hashes)


def _provenance(run_dir: Path, read: Callable[[str, int], bytes]) -> "ProvenanceStatement":
    from ghostface_edge.pipeline.release.statement import PROVENANCE_FILE, ProvenanceStatement

    return ProvenanceStatement.from_json(
        read(PROVENANCE_FILE, _MAX_PROVENANCE_BYTES), str(run_dir / PROVENANCE_FILE), _RUN_AGAIN
    )


def _entry(run_dir: Path, name: str) -> "FileEntry":
    from ghostface_edge.pipeline.release.manifest import FileEntry

    digest, size = hashlib.sha256(), 0
    for block in _content(run_dir, name):
        digest.update(block)
        size += len(block)
    return FileEntry(bytes=size, sha256=digest.hexdigest())


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


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
