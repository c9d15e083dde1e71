"""Faces: many of them side by side, so that a person sees a wrong alignment."""

import base64

from ghostface_edge.reports.blocks import Folded, Note, Picture
from ghostface_edge.reports.section import Findings, Section

_READING = (
    "Eyes, nose and mouth have to be at the same places in every face; a wrong alignment costs as much as a bad "
    "quantization."
)


def faces(findings: Findings) -> Section | None:
    """A contact sheet per kind of faces, the first open."""
    if findings.curves is None or not findings.curves.contact_sheets:
        return None
    sheets = [
        Folded(name, (Picture(f"data:image/jpeg;base64,{base64.b64encode(sheet).decode()}", name),), opened=not place)
        for place, (name, sheet) in enumerate(findings.curves.contact_sheets.items())
    ]
    return Section("faces", "Faces", (Note(_READING, soft=True), *sheets))
