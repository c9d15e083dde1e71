"""A run's models and evidence in one zip that proves itself.

In: the output folder of a run. Out: the same bytes for the same run: files in sorted order, without times, with
their SHA-256 in `MANIFEST.json`. Checking a bundle extracts nothing.
"""

import hashlib
import json
import zipfile
from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.table import load_target

_MANIFEST = "MANIFEST.json"
_EVIDENCE = ("report.json", "report.html", "report.md", "junit.xml")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LIMIT_BYTES = 2 * 2**30


def write_bundle(run_dir: Path, output: Path) -> list[str]:
    """Pack the report and the models it names; returns the packed names.

    Raises:
        InputError: not the output of a run, a model is missing or has changed, or the file cannot be written.
    """
    report = Report.read(run_dir / "report.json")
    names = [name for name in _EVIDENCE if (run_dir / name).is_file()]
    for variant in report.variants:
        if variant.artifact is not None:
            files = load_target(variant.runtime).files(run_dir / variant.artifact.path)
            names += [file.relative_to(run_dir).as_posix() for file in files]
            datasheet = f"{variant.artifact.path}.json"
            names += [datasheet] if (run_dir / datasheet).is_file() else []
        names += variant.firmware.files if variant.firmware is not None else ()
        names += [estimate.path for estimate in variant.estimates]
    try:
        content = {name: (run_dir / name).read_bytes() for name in sorted(set(names))}
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}", fix="run again, then bundle") from error
    _check_models(report, content, str(run_dir))
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    with replacing(output) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, _MANIFEST, json.dumps(hashes, indent=2).encode())
        for name, data in content.items():
            _add(archive, name, data)
    return list(content)


def check_bundle(path: Path) -> Report:
    """Check every file against the manifest and the models against the report; returns the report.

    Raises:
        InputError: damaged, incomplete, or not a bundle; the first file at fault is named.
    """
    fix = "get the bundle again from where it was made"
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LIMIT_BYTES:
                raise InputError(f"{path}: would unpack to more than 2 GiB", fix=fix)
            content = {name: archive.read(name) for name in archive.namelist()}
        hashes = json.loads(content.pop(_MANIFEST))
        recorded = {str(name): str(value) for name, value in hashes.items()}
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not a readable bundle ({error})", fix=fix) from error
    for name in sorted(recorded.keys() | content.keys()):
        if name not in content or name not in recorded:
            where = "archive" if name not in content else "manifest"
            raise InputError(f"{path}: {name} is missing from the {where}", fix=fix)
        if hashlib.sha256(content[name]).hexdigest() != recorded[name]:
            raise InputError(f"{path}: {name} has changed since it was bundled", fix=fix)
    if "report.json" not in content:
        raise InputError(f"{path}: holds no report.json", fix=fix)
    report = Report.from_json(content["report.json"], f"{path}: report.json")
    _check_models(report, content, str(path))
    return report


def _check_models(report: Report, content: dict[str, bytes], where: str) -> None:
    for variant in report.variants:
        if variant.artifact is None:
            continue
        files = load_target(variant.runtime).files(Path(variant.artifact.path))
        missing = [file.as_posix() for file in files if file.as_posix() not in content]
        if missing:
            raise InputError(f"{where}: {missing[0]} of {variant.id} is missing", fix="run again, then bundle")
        digest = hashlib.sha256(b"".join(content[file.as_posix()] for file in files)).hexdigest()
        if digest != variant.artifact.sha256:
            raise InputError(f"{where}: {variant.id} is not the model that was measured", fix="run again, then bundle")


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)
