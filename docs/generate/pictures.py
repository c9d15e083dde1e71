"""Draws the pictures of the site from a run, and keeps them in docs/pictures.

    python docs/generate/pictures.py OUT MODEL.onnx FACES

OUT is the folder of a run on pairs of real people (`report.html`, `quantization.json`), MODEL.onnx the checkpoint's
`ghostface-edge export`, FACES the calibration folder. Plots of the report are taken as they are; no face is in them.
"""

import json
import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.pipeline.prepare.prepare import prepare
from ghostface_edge.pipeline.simulation.reading import load_program
from ghostface_edge.pipeline.simulation.statistics import observe
from ghostface_edge.reports.plots import named_rows
from ghostface_edge.reports.svg import WIDTH, Axis, Chart, standalone
from ghostface_edge.targets.protocol import Faces

DOCS = Path(__file__).resolve().parents[1]
FOLDER = DOCS / "pictures"
PLOTS = {
    "det": "DET",
    "accuracy-time-size": "Accuracy, time and size",
    "scores-stock": "Scores of onnxruntime-int8-stock",
    "scores-int8": "Scores of tflite-int8",
}
"""Files, and what the report calls the plot."""
_FACES, _FEW = 128, 64
"""To prepare with, and to predict on."""
_SHOWN = 12
"""Of the table of sensitivity."""
_HEIGHT, _STYLED = 360, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif">'


def main(arguments: list[str]) -> int:
    """Draw all of them."""
    run, model, faces = (Path(argument) for argument in arguments)
    FOLDER.mkdir(exist_ok=True)
    page = (run / "report.html").read_text(encoding="utf-8")
    drawn = {name: _plot(page, label) for name, label in PLOTS.items()}
    drawn["steps"] = _steps((DOCS / "decisions/0006-int8-by-predicted-error.md").read_text(encoding="utf-8"))
    drawn["islands"] = _islands((DOCS / "decisions/0013-latency-search.md").read_text(encoding="utf-8"))
    drawn["sensitivity"] = _sensitivity(json.loads((run / "quantization.json").read_text(encoding="utf-8")))
    drawn["rounding"] = _rounding(model, sample(scan_folder(faces), 10**9, 0).load()[:_FACES])
    for name, picture in drawn.items():
        (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
    return 0


def _plot(page: str, label: str) -> str:
    """A plot of the report as a file of its own."""
    found = re.search(
        rf'<svg [^>]*viewBox="0 0 (\d+) (\d+)"[^>]*aria-label="{re.escape(label)}".*?</svg>', page, re.DOTALL
    )
    assert found, label
    width, height = int(found[1]), int(found[2])
    style = (files("ghostface_edge.reports") / "templates" / "report.css").read_text(encoding="utf-8")
    background = f'<rect class="page" width="{width}" height="{height}"/>'
    return f"{_STYLED.format(width, height)}<style>{style}</style>{background}{found[0]}</svg>\n"


def _steps(decision: str) -> str:
    """The table of decision 6: cosine to float by graph and by how ranges are chosen."""
    rows = re.findall(
        r"^\| (as exported|equal ranges|prepared) \| ([\w-]+) \| [\d.]+ \| ([\d.]+) \|", decision, re.MULTILINE
    )
    colours = {"as exported": "c4", "equal ranges": "c1", "prepared": "c2"}
    names = [f"{graph}, {method}" for graph, method, _ in rows]
    chart = named_rows("Cosine to float", Axis("mean cosine to float, with bias correction", 0, 1), names, step=22)
    for row, (graph, method, cosine) in enumerate(rows):
        chart.bar(
            (0, float(cosine)), (row + 0.15, row + 0.85), f"fill {colours[graph]}", f"{graph}, {method}: {cosine}"
        )
    return standalone("What each step gives", [chart])


def _islands(decision: str) -> str:
    """The table of decision 13: time by how many of the first segments compute in float."""
    head, row = (re.search(rf"^\| {name} \| (.*) \|$", decision, re.MULTILINE) for name in ("k", "ms"))
    assert head
    assert row
    cells = list(zip(head[1].split(" | "), row[1].split(" | "), strict=True))
    counts = [int(count) for count, _ in cells if count.isdigit()]
    times = [float(ms) for count, ms in cells if count.isdigit()]
    chart = Chart(
        "Time", Axis("first segments in float", 0, max(counts)), Axis("ms per face", 0.8, 1.15), WIDTH, _HEIGHT
    )
    for count, ms in cells[-1:]:
        chart.line([0, max(counts)], [float(ms)] * 2, "c1 other", f"{count}: {ms} ms")
        chart.text(7, float(ms) + 0.012, count)
    chart.line(counts, times, "c0 int8", "INT8 with leading segments in float")
    for count, ms in zip(counts, times, strict=True):
        chart.dot(count, ms, "dot c0", f"{count} segments in float: {ms:g} ms", 3.5)
    return standalone("Time by how many of the 20 segments compute in float", [chart])


def _sensitivity(quantization: dict[str, dict[str, list[dict[str, float | str]]]]) -> str:
    """What rounding costs, one part at a time."""
    rows = quantization["quantization"]["sensitivity"][:_SHOWN]
    names = [f"{row['name']} ({row['part']})" for row in rows]
    losses = [1000 * float(row["cosine_loss"]) for row in rows]
    chart = named_rows(
        "Sensitivity",
        Axis("1 − cosine, in thousandths, with nothing else rounded", 0, 1.05 * max(losses)),
        names,
        step=22,
    )
    for row, (name, loss) in enumerate(zip(names, losses, strict=True)):
        chart.bar((0, loss), (row + 0.15, row + 0.85), "fill c0", f"{name}: {loss:.2f}")
    return standalone("Which parts lose most when they alone are rounded", [chart])


def _rounding(model: Path, faces: Faces) -> str:
    """What rounding a tensor costs the embedding, before and after preparation, by its own prediction."""
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        prepare(model, faces, prepared, seed=0, progress=lambda _name, _share: None)
        return _costs(*(_predicted(path, faces[:_FEW]) for path in (model, prepared)))


def _predicted(model: Path, faces: Faces) -> dict[str, float]:
    """Squared error of the normalised embedding by tensor, if its step covers all that occurs (decision 6)."""
    return {
        name: (float(seen.extremes.high.max() - seen.extremes.low.min()) / 255) ** 2 / 12 * float(seen.gain.sum())
        for name, seen in observe(load_program(model), faces, seed=0).items()
    }


def _costs(before: dict[str, float], after: dict[str, float]) -> str:
    """The tensors that cost most as exported."""
    names = sorted(before.keys() & after.keys(), key=lambda name: -before[name])[:_SHOWN]
    lowest = min(min(before[name], after[name]) for name in names) / 2
    axis = Axis("squared error of the embedding, logarithmic", lowest, 2 * before[names[0]], log=True)
    chart = named_rows("Cost of rounding", axis, names, step=26)
    for row, name in enumerate(names):
        for costs, css, label, top in ((before, "c4", "as exported", 0.12), (after, "c2", "prepared", 0.5)):
            hover = f"{name}, {label}: {costs[name]:.2g}"
            chart.bar((lowest, costs[name]), (row + top, row + top + 0.38), f"fill {css}", hover)
    together = f"all {len(before)} tensors: {sum(before.values()):.2g} as exported, {sum(after.values()):.2g} prepared"
    return standalone(f"What rounding one tensor costs; {together}", [chart])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
