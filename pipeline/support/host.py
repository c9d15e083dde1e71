"""The machine that measured: Linux, as `/proc` describes it."""

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from ghostface_edge.reports.provenance import Host

_ISA = re.compile(r"^(avx2|avx512\w*|avx_vnni\w*|amx_\w+|fma|f16c|sse4_2|neon|asimd\w*|i8mm|bf16|sve\w*)$")


def describe_host() -> "Host":
    """CPU, cores, memory, instruction sets that matter to inference, operating system."""
    from ghostface_edge.reports.provenance import Host

    fields = _cpuinfo()
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    return Host(
        cpu=fields.get("model name") or platform.processor() or platform.machine(),
        physical_cores=psutil.cpu_count(logical=False) or 1,
        logical_cores=usable_cores(),
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        isa=tuple(sorted(flag for flag in flags if _ISA.match(flag))),
        os=platform.platform(),
        machine=platform.machine(),
        python=platform.python_version(),
    )


def describe_kernels() -> dict[str, object]:
    """What of the machine decides which kernels a runtime chooses, and so the last bits of what it computes."""
    return describe_host().model_dump(mode="json", include={"cpu", "isa", "machine"})


def int8_saturates(host: "Host") -> bool:
    """Whether ONNX Runtime's and OpenVINO's INT8 kernels are inexact here: x86 without VNNI adds pairs in 16 bits.

    Source: ONNX Runtime, "Quantize ONNX models", on U8S8 and saturation.
    """
    return host.machine == "x86_64" and not any("vnni" in flag for flag in host.isa)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _cpuinfo() -> dict[str, str]:
    pairs = (line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
