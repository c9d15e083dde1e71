"""Candidates of a search: artifacts with some segments in float, made and looked at when they are asked for."""

import functools
from pathlib import Path

from ghostface_edge.pipeline.precision_search.assignment import Assignment
from ghostface_edge.pipeline.precision_search.segments import Segment, fall_back, find_segments
from ghostface_edge.pipeline.precision_search.setup import SearchSetup
from ghostface_edge.pipeline.simulation.qdq_reading import read_qdq
from ghostface_edge.pipeline.simulation.qdq_writing import write_qdq
from ghostface_edge.pipeline.simulation.reading import load_metadata, load_program
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.reports.metrics import cosines
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Embeddings
from ghostface_edge.targets.table import load_target

_EMBED_BATCH = 16


class Candidates:
    """Artifacts by assignment, each made once."""

    def __init__(self, setup: SearchSetup) -> None:
        self._setup, self._target = setup, load_target(setup.runtime)
        self._program = load_program(setup.prepared)
        self._quantized = read_qdq(setup.model, self._program)
        self._metadata = load_metadata(setup.prepared)
        self._cosines: dict[Assignment, float] = {}
        self.segments = find_segments(self._program, setup.faces.shape[1])
        self.made: dict[Assignment, Path | None] = {}
        """None: the runtime refused it."""

    def make(self, worker: RuntimeWorker, assignment: Assignment) -> Path | None:
        """Lower the network with some segments in float."""
        if assignment not in self.made:
            model, floats = self._setup.model, self._floats(assignment)
            if floats:
                model = self._setup.folder / f"{assignment.label}.onnx"
                mixed = fall_back(self._quantized, self._program, floats)
                write_qdq(mixed, model, image_size=self._setup.faces.shape[1], metadata=self._metadata)
            path = self._setup.folder / f"{assignment.label}-lowered{self._target.extension}"
            try:
                worker.lower_quantized(model, path)
            except ToolError:
                self.made[assignment] = None
            else:
                self.made[assignment] = path
        return self.made[assignment]

    def size_bytes(self, artifact: Path) -> int:
        """Of all its files."""
        return sum(file.stat().st_size for file in self._target.files(artifact))

    def cosine(self, assignment: Assignment) -> float:
        """Mean cosine to float32 on the held-out faces; 0 if it cannot be run."""
        if assignment not in self._cosines:
            path = self.made[assignment]
            try:
                agreement = 0.0 if path is None else float(cosines(self._embed(path), self._reference).mean())
            except (ToolError, InputError):
                agreement = 0.0
            self._cosines[assignment] = agreement
        return self._cosines[assignment]

    def float_share(self, assignment: Assignment) -> float:
        """Of the multiply-accumulates."""
        return sum(segment.macs for segment in self._floats(assignment)) / sum(one.macs for one in self.segments)

    def float_tensors(self, assignment: Assignment) -> tuple[str, ...]:
        """Values that are in float beyond those of the QDQ model."""
        left = fall_back(self._quantized, self._program, self._floats(assignment)).activations
        return tuple(value for value in self._quantized.activations if value not in left)

    def _floats(self, assignment: Assignment) -> list[Segment]:
        return [segment for segment, is_float in zip(self.segments, assignment.floats, strict=True) if is_float]

    @functools.cached_property
    def _reference(self) -> Embeddings:
        return self._embed(self._setup.fp32)

    def _embed(self, artifact: Path) -> Embeddings:
        with self._setup.open(RuntimeWorker) as worker:
            worker.load(artifact, self._setup.threads, _EMBED_BATCH)
            return worker.embed(self._setup.faces)
