"""Whether a bundle is whole, says nothing that does not follow, and was signed by whom it should be.

In: a bundle, maybe a public key and a policy. Out: what was found, or an error that names the file at fault. Nothing is
unpacked, and no file is held in memory whole but the few small ones that are read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ghostface_edge.pipeline.release.archive import Archive, opened

if TYPE_CHECKING:
    from ghostface_edge.pipeline.release.manifest import Manifest
    from ghostface_edge.pipeline.release.shipped import Shipped
    from ghostface_edge.pipeline.support.dsse import PublicKey
    from ghostface_edge.reports.policy import Policy
    from ghostface_edge.reports.report import Report

_MAX_REPORT_BYTES: Final = 16 * 2**20
"""With every changed decision on LFW it takes 4 MB."""
_MAX_MANIFEST_BYTES: Final = 8 * 2**20
_GET_AGAIN: Final = "get the bundle again from where it was made"


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle that is whole."""

    report: "Report"
    manifest: "Manifest"
    signed_by: str | None
    """SHA-256 of the public key that is said to have signed; None where nobody is."""
    is_believed: bool
    """Whether that was checked with the key itself."""
    is_made_again: bool
    """Whether this release of the tool made it, so that its pages could be made again."""


def check_bundle(path: Path, key: "PublicKey | None" = None, policy: "Policy | None" = None) -> Checked:
    """Account for every byte of a bundle and for all that follows from it.

    Args:
        path: of the bundle.
        key: that must have signed it.
        policy: by which the verdict must come out the same.

    Raises:
        InputError: damaged, incomplete, added to, contradictory, not signed by the key, or not a bundle; what is at
            fault is named.
    """
    with opened(path, where=str(path), fix=_GET_AGAIN) as archive:
        return check(archive, key, policy)


def check(archive: Archive, key: "PublicKey | None" = None, policy: "Policy | None" = None) -> Checked:
    """The same for an archive whose headers are in order."""
    manifest = _read_manifest(archive)
    hashes = _check_files(archive, manifest)
    from ghostface_edge.pipeline.release import contents  # a refusal until here costs little
    from ghostface_edge.pipeline.release.agreement import disagreement, verdict_problem
    from ghostface_edge.pipeline.support.code_version import code_version
    from ghostface_edge.reports.report import Report

    report = Report.from_json(archive.read(contents.REPORT, _MAX_REPORT_BYTES), f"{archive.where}: {contents.REPORT}")
    same_code = manifest.tool.code == code_version()
    shipped = _check_names(archive, manifest, report)
    for name, sha256 in shipped.files.items():
        if sha256 not in {None, hashes[name]}:
            archive.refuse(f"{name} is not the file that the report is about")
    _check_models(archive, shipped)
    if problem := disagreement(report, manifest.provenance, {model.variant: model for model in shipped.models}):
        archive.refuse(problem)
    _check_calibration(archive, report, hashes)
    if problem := verdict_problem(report, manifest.provenance.request.policy, policy, same_code=same_code):
        archive.refuse(f"{contents.REPORT}: {problem}")
    _check_made(archive, manifest, report, same_code=same_code)
    hint = _check_signatures(archive, manifest, report, hashes, key, same_code=same_code)
    return Checked(report, manifest, hint, key is not None, same_code)


def _read_manifest(archive: Archive) -> "Manifest":
    from pydantic import ValidationError

    from ghostface_edge.pipeline.release.manifest import FORMAT_VERSION, MANIFEST, Manifest
    from ghostface_edge.reports.json_text import parse_json
    from ghostface_edge.reports.printable import shortened
    from ghostface_edge.reports.record import first_problem

    stated = archive.read(MANIFEST, _MAX_MANIFEST_BYTES)
    content = parse_json(stated, f"{archive.where}: {MANIFEST}", fix=_GET_AGAIN)
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION or isinstance(version, bool):
        archive.refuse(
            f"{MANIFEST} has format_version {shortened(repr(version))}, this tool reads {FORMAT_VERSION}",
            fix="use a release of ghostface-edge that reads it",
        )
    try:
        manifest = Manifest.model_validate_json(stated, strict=True)
    except ValidationError as error:
        archive.refuse(f"{MANIFEST} is not valid: {first_problem(error)}")
    return manifest


def _check_files(archive: Archive, manifest: "Manifest") -> dict[str, str]:
    """Hold every file to the manifest, in the order that a bundle has; returns all hashes but the last signature's."""
    from ghostface_edge.pipeline.release.manifest import MANIFEST
    from ghostface_edge.pipeline.release.signatures import MODEL_SIGNATURE, VERDICT_SIGNATURE

    signatures = [name for name in (VERDICT_SIGNATURE, MODEL_SIGNATURE) if name in archive.members]
    due = [*manifest.files, MANIFEST, *signatures]
    for name in sorted(archive.members.keys() ^ set(due)):
        archive.refuse(f"{name} is missing" if name in due else f"it holds {name}, which {MANIFEST} does not name")
    if len(signatures) == 1:
        archive.refuse(f"it has {signatures[0]} alone: a bundle has both signatures or none")
    if list(archive.members) != due or sorted(manifest.files) != [*manifest.files]:
        archive.refuse("its files are not in the order that a bundle has")
    hashes: dict[str, str] = {}
    for name in due:
        digest = hashlib.sha256()
        for block in archive.blocks(name):
            digest.update(block)
        hashes[name] = digest.hexdigest()
    for name, entry in manifest.files.items():
        if (entry.bytes, entry.sha256) != (archive.members[name].size, hashes[name]):
            archive.refuse(f"{name} has changed since it was bundled, or {MANIFEST} has")
    hashes.pop(MODEL_SIGNATURE, None)
    return hashes


def _check_names(archive: Archive, manifest: "Manifest", report: "Report") -> "Shipped":
    """Hold the names to what the report and the choice of variants give; returns the files of variants."""
    from ghostface_edge.pipeline.release import contents
    from ghostface_edge.pipeline.release.integrator import RUNNERS
    from ghostface_edge.pipeline.release.shipped import shipped_files

    ids = [entry.id for entry in manifest.variants]
    known = {variant.id: variant for variant in report.local_variants if variant.artifact is not None}
    if ids != [label for label in known if label in ids]:
        archive.refuse("the manifest names variants that are not those of its report, or in another order")
    shipping = tuple(known[label] for label in ids)
    along = {name for name in manifest.files if name in contents.ALONG or name.startswith(RUNNERS)}
    beside = {contents.REPORT, *contents.MADE, *along}
    shipped = shipped_files(report.model_copy(update={"variants": shipping}), beside, archive.refuse)
    due = {*beside, *shipped.files}
    for name in sorted(due ^ manifest.files.keys()):
        archive.refuse(f"{name} is missing" if name in due else f"it holds {name}, which its report does not name")
    return shipped


def _check_models(archive: Archive, shipped: "Shipped") -> None:
    for model in shipped.models:
        size, digest = sum(archive.members[name].size for name in model.files), hashlib.sha256()
        for name in model.files:
            for block in archive.blocks(name):
                digest.update(block)
        if (size, digest.hexdigest()) != (model.bytes, model.sha256):
            archive.refuse(f"{model.variant} is not the model that was measured")


def _check_calibration(archive: Archive, report: "Report", hashes: Mapping[str, str]) -> None:
    from ghostface_edge.pipeline.release.contents import CALIBRATION

    if hashes.get(CALIBRATION, report.data.calibration.sha256) != report.data.calibration.sha256:
        archive.refuse(f"{CALIBRATION} does not list the faces that the report is about")


def _check_made(archive: Archive, manifest: "Manifest", report: "Report", *, same_code: bool) -> None:
    """Make again what follows from other files; words are compared only with those of this very release."""
    from ghostface_edge.pipeline.release import contents
    from ghostface_edge.pipeline.release.manifest import MANIFEST, describe

    ids = [entry.id for entry in manifest.variants]
    shipping = [variant for variant in report.local_variants if variant.id in ids]
    sheets = contents.datasheets(
        shipping, lambda name: archive.read(name, contents.MAX_DATASHEET_BYTES), archive.where, _GET_AGAIN
    )
    due = describe(report, shipping, manifest.provenance, sheets, manifest.files)
    for field in type(due).model_fields:
        if getattr(due, field) != getattr(manifest, field):
            archive.refuse(f"{MANIFEST}: its {field} does not follow from {contents.REPORT}")
    if archive.read(MANIFEST, _MAX_MANIFEST_BYTES) != manifest.to_json().encode():
        archive.refuse(f"{MANIFEST} is not written as a bundle's is")
    if not same_code:
        return
    taken = {name: entry for name, entry in manifest.files.items() if name not in contents.MADE}
    bare = manifest.model_copy(update={"files": taken})
    for name, document in contents.made_documents(bare, report, archive.refuse).items():
        if manifest.files[name].sha256 != hashlib.sha256(document).hexdigest():
            archive.refuse(f"{name} does not follow from {contents.REPORT}")


def _check_signatures(
    archive: Archive,
    manifest: "Manifest",
    report: "Report",
    hashes: Mapping[str, str],
    key: "PublicKey | None",
    *,
    same_code: bool,
) -> str | None:
    """Hold the signatures to the files and the key; returns who is said to have signed."""
    from ghostface_edge.pipeline.release.signatures import (
        MODEL_SIGNATURE,
        VERDICT_SIGNATURE,
        same_verdict,
        signed_files,
        verdict_statement,
    )
    from ghostface_edge.pipeline.support.dsse import MAX_ENVELOPE_BYTES, parse_signed, require_signed_by

    if MODEL_SIGNATURE not in archive.members:
        if key is not None:
            archive.refuse("nobody has signed it", fix="get one that was made with `bundle --sign`")
        return None
    hints = set()
    for name in (VERDICT_SIGNATURE, MODEL_SIGNATURE):
        source = f"{archive.where}: {name}"
        signed = parse_signed(archive.read(name, MAX_ENVELOPE_BYTES), source, _GET_AGAIN)
        payload = signed.payload(source, _GET_AGAIN)
        if name == VERDICT_SIGNATURE:
            due = verdict_statement(manifest, report)
            if payload != due and (same_code or not same_verdict(payload, due, source, _GET_AGAIN)):
                archive.refuse(f"{name} states another verdict, or that of another bundle")
        if name == MODEL_SIGNATURE:
            _compare(archive, signed_files(payload, source, _GET_AGAIN), hashes)
        if key is not None:
            require_signed_by(signed, key, source, "ask whoever released it for the key, or for the bundle again")
        hints.add(signed.hint)
    if len(hints) > 1:
        archive.refuse(f"{VERDICT_SIGNATURE} and {MODEL_SIGNATURE} were signed by two keys")
    return hints.pop()


def _compare(archive: Archive, stated: Mapping[str, str], hashes: Mapping[str, str]) -> None:
    for name in sorted(stated.keys() | hashes.keys()):
        if stated.get(name) != hashes.get(name):
            archive.refuse(f"{name} is not what model.sig was made for")
