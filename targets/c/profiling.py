"""Where the time of one inference goes: a clock that every layer of the compiled C reads as it ends."""

import ctypes
import tempfile
from importlib.resources import files
from pathlib import Path

from ghostface_edge.reports.evidence import ProfileRole, ProfileRow
from ghostface_edge.targets.c.compiler import HOST, LIBRARY, compile_c, find_compiler
from ghostface_edge.targets.c.embedder import CEmbedder
from ghostface_edge.targets.c.generate import Generated
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.profile import PROFILE_RUNS, WARM_UP_RUNS, OperatorSample, group


def time_layers(artifact: Path, generated: Generated) -> tuple[ProfileRow, ...]:
    """Rows by kind of layer, of `artifact`'s own text."""
    clock = files(__package__).joinpath("trace_clock.c")
    with tempfile.TemporaryDirectory() as folder:
        library, source = Path(folder) / "model.so", Path(folder) / "trace_clock.c"
        source.write_text(clock.read_text())
        compile_c(find_compiler(), [artifact, source], [*HOST, *LIBRARY, "-DMODEL_TRACE=trace_clock"], library)
        embedder, traced = CEmbedder(library), ctypes.CDLL(str(library))
    traced.trace_microseconds.restype = ctypes.c_double
    inputs = embedder.prepare(face_like(1, generated.program.faces.rows))
    samples = []
    for run in range(WARM_UP_RUNS + PROFILE_RUNS):
        traced.trace_start()
        embedder.infer(inputs)
        if run < WARM_UP_RUNS:
            continue
        for number, layer in enumerate(generated.program.layers):
            spent = traced.trace_microseconds(number)
            if spent >= 0:
                kind = type(layer).__name__
                samples.append(OperatorSample(f"{number}", kind, ProfileRole.INTEGER, spent))
    return group(samples)
