"""Write a report's files, each whole or not at all."""

import os
import tempfile
from pathlib import Path

from ghostface_edge.reports import html, junit, markdown
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.report import Report


def write_report(report: Report, curves: ReportCurves, folder: Path) -> None:
    """Write report.json, report.html, report.md and junit.xml into `folder`, which is made if missing.

    report.json comes last: where it is, the others are too.

    Raises:
        InputError: the folder cannot be written to.
    """
    files = {
        "report.html": html.render(report, curves),
        "report.md": markdown.render(report),
        "junit.xml": junit.render(report),
        "report.json": report.to_json(),
    }
    for name, text in files.items():
        write_text(folder / name, text)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text beside `path` and rename it into place.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", fix="choose a folder that you may write to"
        ) from error
