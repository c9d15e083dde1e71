"""ONNX Runtime's profiler, read back.

In: an `.onnx`. Out: one sample per operator and run. The profiler adds 1 to 2 microseconds to each operator.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.reports.evidence import ProfileRole
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.profile import PROFILE_RUNS, WARM_UP_RUNS, OperatorSample

_ENDING: Final = "_kernel_time"
_LAYOUT: Final = frozenset({"ReorderInput", "ReorderOutput", "Transpose", "Reshape", "Gather", "Shape"})
_QUANTIZE: Final = frozenset({"QuantizeLinear", "DequantizeLinear"})


def sample(artifact: Path, threads: int) -> list[OperatorSample]:
    """Run an artifact on one image and take the time of every operator."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0]
        face = normalize(face_like(1, entry.shape[-1])).transpose(0, 3, 1, 2)
        for _ in range(WARM_UP_RUNS + PROFILE_RUNS):
            session.run(None, {entry.name: face})
        events = json.loads(Path(session.end_profiling()).read_text())
    found = list(_operators(events))
    return found[len(found) * WARM_UP_RUNS // (WARM_UP_RUNS + PROFILE_RUNS) :]


def _operators(events: list[dict[str, Any]]) -> Iterator[OperatorSample]:
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_ENDING):
            facts = event["args"]
            kind = facts["op_name"]
            yield OperatorSample(event["name"].removesuffix(_ENDING), kind, _role(kind, facts), float(event["dur"]))


def _role(kind: str, facts: dict[str, Any]) -> ProfileRole:
    if kind in _LAYOUT:
        return ProfileRole.LAYOUT
    if kind in _QUANTIZE:
        return ProfileRole.QUANTIZE
    types = {name for entry in facts.get("input_type_shape", [])[:1] for name in entry}
    return ProfileRole.INTEGER if types & {"uint8", "int8"} else ProfileRole.FLOAT
