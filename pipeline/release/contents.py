"""What goes into a bundle: files of a run, and what follows from them.

In: a report, which of its variants are to ship, hashes of files. Out: names, and the documents that are made of these.
"""

import functools
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from pydantic import JsonValue

from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.release.archive import MAX_MEMBERS
from ghostface_edge.pipeline.release.integrator import RUNNERS, readme
from ghostface_edge.pipeline.release.manifest import Manifest
from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.json_text import parse_json
from ghostface_edge.reports.variant import Status

if TYPE_CHECKING:
    from ghostface_edge.reports.report import Report
    from ghostface_edge.reports.variant import Variant

Refuse = Callable[[str], NoReturn]
REPORT: Final = "report.json"
PAGES: Final = ("junit.xml", "report.html", "report.md")
README, LICENCE, BILL = "README.md", "LICENSE.txt", "bom.cdx.json"
MADE: Final = (README, LICENCE, BILL, *PAGES)
"""What follows from the rest."""
CALIBRATION: Final = "models/calibration.sha256"
"""Which faces quantization saw."""
QUANTIZATION: Final = "quantization.json"
"""Ranges and scales, where the run quantized."""
ALONG: Final = (CALIBRATION, QUANTIZATION)
MAX_DATASHEET_BYTES: Final = 256 * 2**10
_DATA_LICENCE: Final = "Apache-2.0"
"""Of the embedded network."""


def chosen_variants(report: "Report", variants: Sequence[str], devices: Sequence[str]) -> "tuple[Variant, ...]":
    """The variants of this host that are to ship: those named, and of them those that ran on the devices named.

    Args:
        report: of a run.
        variants: ids; none stands for all.
        devices: names; none stands for whichever.

    Raises:
        InputError: one is not in the report, or none is left.
    """
    known = {variant.id: variant for variant in report.local_variants if variant.artifact is not None}
    places = [LOCAL, *(device.name for device in report.devices)]
    _require_known("variant", variants, known)
    _require_known("device", devices, places)
    ran = {LOCAL: {*known}}
    for variant in report.variants:
        if variant.device is not None and variant.status is Status.OK:
            ran.setdefault(variant.device, set()).add(variant.local_id)
    left = [
        variant
        for label, variant in known.items()
        if (not variants or label in variants) and all(label in ran.get(device, ()) for device in devices)
    ]
    if not left and (variants or devices):
        raise InputError("no variant that was named ran on the devices that were named", fix="name fewer")
    return tuple(left)


def _require_known(kind: str, names: Sequence[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise InputError(f"the run has no {kind} {name!r} with a file", fix=f"name one of {', '.join(known)}")


def datasheets(
    shipped: "Sequence[Variant]", read: Callable[[str], bytes], where: str, fix: str
) -> dict[str, dict[str, JsonValue]]:
    """What ships beside artifacts to say how to use them, by name of the artifact.

    Args:
        shipped: variants.
        read: gives a file's content by its name.
        where: names the folder or bundle in errors.
        fix: what the user should do where one cannot be used.

    Raises:
        InputError: one is no JSON object.
    """
    found: dict[str, dict[str, JsonValue]] = {}
    for variant in shipped:
        assert variant.artifact is not None
        name = f"{variant.artifact.path}.json"
        if name in variant.files:
            sheet = parse_json(read(name), f"{where}: {name}", fix=fix)
            if not isinstance(sheet, dict):
                raise InputError(f"{where}: {name} is no datasheet", fix=fix)
            found[variant.artifact.path] = sheet
    return found


def made_documents(manifest: Manifest, report: "Report", refuse: Refuse) -> dict[str, bytes]:
    """Everything that follows from the other files.

    Args:
        manifest: of these alone.
        report: of the run.
        refuse: called with what is wrong.
    """
    from ghostface_edge.pipeline.release.bom import bill_of_materials
    from ghostface_edge.reports.renderings.report_files import pages

    licence = _DATA_LICENCE if report.model.sha256 == _embedded_sha256() else None
    try:
        made = {
            **pages(report),
            README: readme(manifest, licence),
            BILL: bill_of_materials(manifest, report, licence),
            LICENCE: Path(__file__).with_name(LICENCE).read_text(encoding="utf-8"),
        }
    except (ArithmeticError, ValueError) as error:
        refuse(f"the figures of {REPORT} cannot be drawn ({error})")
    return {name: text.encode() for name, text in sorted(made.items())}


@functools.cache
def _embedded_sha256() -> str:
    return file_sha256(default_checkpoint())


def runner_files(run_dir: Path, refuse: Refuse) -> list[str]:
    """Names of every file under the folder of runners, where there is one.

    Args:
        run_dir: of a run.
        refuse: called where there is a link, or more than a bundle may hold.
    """
    found: list[str] = []
    pending = [run_dir / RUNNERS.rstrip("/")]
    while pending:
        path = pending.pop()
        name = path.relative_to(run_dir).as_posix()
        if path.is_symlink():
            refuse(f"{name} is a link, and a run makes none")
        elif path.is_dir():
            pending += path.iterdir()
        elif path.exists():
            found.append(name)
        if len(found) + len(pending) > MAX_MEMBERS:
            refuse(f"it has more than the {MAX_MEMBERS:,} files that a bundle may hold")
    return sorted(found)
