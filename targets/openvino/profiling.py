"""OpenVINO's performance counters, read back.

In: an `.xml`. Out: one sample per executed layer and run. A layer fused into another one has no time of its own: a
PReLU or a quantizer that shows up is one that was not fused.
"""

from typing import Any, Final

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.reports.evidence import ProfileRole
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.profile import PROFILE_RUNS, WARM_UP_RUNS, OperatorSample

_LAYOUT: Final = frozenset({"Reorder", "Transpose", "Reshape"})
_QUANTIZE: Final = frozenset({"FakeQuantize", "Convert"})


def sample(compiled: Any) -> list[OperatorSample]:
    """Run a model that was compiled with PERF_COUNT on one image and take the time of every layer."""
    request = compiled.create_infer_request()
    face = normalize(face_like(1, compiled.input().shape[-1])).transpose(0, 3, 1, 2)
    samples = []
    for run in range(WARM_UP_RUNS + PROFILE_RUNS):
        request.infer([face])
        if run < WARM_UP_RUNS:
            continue
        for layer in request.profiling_info:
            if layer.status.name == "EXECUTED":
                spent = layer.real_time.total_seconds() * 1e6
                kind = f"{layer.node_type} {layer.exec_type}"
                samples.append(OperatorSample(layer.node_name, kind, _role(layer.node_type, layer.exec_type), spent))
    return samples


def _role(kind: str, kernel: str) -> ProfileRole:
    if kind in _LAYOUT:
        return ProfileRole.LAYOUT
    if kind in _QUANTIZE:
        return ProfileRole.QUANTIZE
    return ProfileRole.INTEGER if kernel.lower().endswith(("_i8", "_u8")) else ProfileRole.FLOAT
