"""`README.md` of a bundle: for the person who puts a model into a product.

In: the manifest. Out: Markdown that says which file to take, how to feed it, where to decide, and how to check it all.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from ghostface_edge.pipeline.release.manifest import Manifest, VariantEntry
from ghostface_edge.reports.printable import printable

RUNNERS = "runners/"
"""Folder of programs that run a model, where a run has some."""


def readme(manifest: Manifest, weights_licence: str | None) -> str:
    """Write the page.

    Args:
        manifest: of the bundle.
        weights_licence: SPDX identifier, where it is known.
    """
    return "\n".join(_lines(manifest, weights_licence)) + "\n"


def _lines(manifest: Manifest, weights_licence: str | None) -> Iterator[str]:
    model, verdict = manifest.model, manifest.verdict
    yield f"# {_text(model.name)}"
    yield ""
    yield f"Face embeddings of {model.embedding_size} numbers from one face of 112x112 pixels; {model.mmacs:g} million"
    yield f"multiply-accumulates. Made by ghostface-edge {_text(manifest.tool.version)}."
    yield ""
    yield f"**Verdict: {verdict.verdict}** by the policy {_text(verdict.policy)} (`{verdict.policy_sha256}`)."
    yield "`report.html` says why."
    yield from ("", "## Files", "")
    yield "| variant | give to the runtime | bytes | verdict | accuracy | lost, pp |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for variant in manifest.variants:
        yield _row(variant, manifest)
    yield ""
    if any(name.startswith(RUNNERS) for name in manifest.files):
        yield f"`{RUNNERS}` holds programs that run these files."
        yield ""
    yield from _feeding(manifest)
    yield from _deciding(manifest)
    yield from _CHECKING
    yield from ("", "## Licences", "")
    yield "Programs and texts that ghostface-edge wrote: Apache-2.0, `LICENSE.txt`."
    yield f"Weights: {weights_licence or 'as the owner of the checkpoint says; nothing here grants it.'}"


def _feeding(manifest: Manifest) -> Iterator[str]:
    contract = manifest.preprocessing
    yield from ("## How to feed it", "")
    yield f"1. Face: {contract.face}; the five landmarks of eyes, nose and mouth decide."
    yield f"2. Colour: {contract.colour}."
    yield f"3. Numbers: `{contract.normalization}`, then the number format of the file:"
    yield from ("", "| file | input | shape | layout | from pixels |", "| --- | --- | --- | --- | --- |")
    for variant in manifest.variants:
        taken = _part(variant.datasheet, "input")
        shape = taken.get("shape")
        sizes = " x ".join("any" if size == -1 else str(size) for size in shape) if isinstance(shape, list) else ""
        how = taken.get("quantization") or contract.normalization
        fields = (variant.artifact, f"{taken.get('dtype')} `{taken.get('name')}`", sizes, taken.get("layout"), how)
        yield f"| {' | '.join(map(_text, fields))} |"
    yield ""


def _deciding(manifest: Manifest) -> Iterator[str]:
    yield from ("## Where to decide", "")
    yield "Two faces are of one person where the cosine of their embeddings reaches the threshold of the false-match"
    yield "rate that you can afford. Thresholds hold for the file that they stand beside, not for another."
    yield from (
        "",
        "| file | false-match rate | threshold | missed matches | known as |",
        "| --- | --- | --- | --- | --- |",
    )
    for variant in manifest.variants:
        for fmr, at in variant.at_fmr.items():
            yield f"| {_text(variant.artifact)} | {_text(fmr)} | {at.threshold:.4f} | {at.fnmr:.2%} | {at.support} |"
        for far, threshold in _part(variant.datasheet, "thresholds").items():
            own = threshold.get("this_model") if isinstance(threshold, dict) else None
            if isinstance(own, float):
                yield f"| {_text(variant.artifact)} | {_text(far)}, on the listed pairs | {own:.4f} | | |"
    yield ""
    yield "These are thresholds of the faces that they were found on. Choose your own on faces of your cameras."
    yield ""


_CHECKING: Final = """## How to check it

    ghostface-edge verify BUNDLE.zip --key PUBLIC.pem
    ghostface-edge reproduce BUNDLE.zip --checkpoint NETWORK --calibration FACES

`manifest.json` holds size and SHA-256 of every file, and where they come from; `bom.cdx.json` is the bill of materials.
Where the bundle is signed, `model.sig` covers every file and `verdict.sig` states the verdict. Unpacked, the first is
checked without this tool by

    model_signing verify key . --signature model.sig --public_key PUBLIC.pem""".splitlines()


def _row(variant: VariantEntry, manifest: Manifest) -> str:
    size = sum(manifest.files[name].bytes for name in variant.files if name in manifest.files)
    figures = variant.figures
    accuracy = "" if figures is None else f"{figures.accuracy:.2%}"
    lost = "" if figures is None or figures.drop_pp is None else f"{figures.drop_pp:.2f}"
    fields = (variant.id, f"`{variant.artifact}`", f"{size:,}", variant.verdict, accuracy, lost)
    return f"| {' | '.join(map(_text, fields))} |"


def _part(datasheet: Mapping[str, JsonValue] | None, name: str) -> Mapping[str, JsonValue]:
    part = (datasheet or {}).get(name)
    return part if isinstance(part, dict) else {}


def _text(value: object) -> str:
    """A stranger's text in a cell of a table."""
    return printable(value).replace("|", "\\|").replace("<", "&lt;")
