"""A device's machine, runtimes and arithmetic, and what decides over its times. Boards run this file as it is."""

import hashlib
import os
import platform
import re
import shutil
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from ghostface_edge.reports.errors import InputError

PACKAGES = {
    "onnxruntime": ("onnxruntime",),
    "openvino": ("openvino",),
    "tflite": ("ai-edge-litert", "tflite-runtime"),
    "c": ("arm-none-eabi-gcc", "numpy"),
    "ncnn": ("ncnn",),
    "executorch": ("executorch",),
}
"""Distributions that bring a runtime; programs that make one for a core without a system."""
_FEATURES = ("asimddp", "avx2", "avx512_vnni", "avx512vl", "fma", "neon", "vfpv4")
"""Words of `/proc/cpuinfo` that kernels are chosen by where C is compiled for a device."""
_CPU_FOLDER = Path("/sys/devices/system/cpu")
_THERMAL = Path("/sys/class/thermal")
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""Of Raspberry Pis: bits 0 to 3 are what happens now."""
_COLDEST, _MOST = -100_000, 100_000_000
"""Millidegrees, and what no sensor tells in earnest: kilohertz."""


def read_facts(folder: Path) -> Dict[str, Any]:
    """What does not change from minute to minute.

    Args:
        folder: that models are kept in.
    """
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return {
        "machine": platform.machine(),
        "cpu": _cpu(),
        "os": _os(),
        "python": platform.python_version(),
        "features": _features(),
        "versions": _versions(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "free_mb": shutil.disk_usage(there).free // 2**20,
        "clock_s": time.time(),
    }


def read_conditions() -> Dict[str, Any]:
    """Governor, frequency of the fastest core, temperature of the warmest zone, load, throttling; None if untold."""
    frequencies = [_number(path) for path in _CPU_FOLDER.glob("cpu[0-9]*/cpufreq/scaling_cur_freq")]
    temperatures = [_number(path) for path in _THERMAL.glob("thermal_zone*/temp")]
    throttled = _text(_THROTTLED)
    return {
        "governor": _text(_CPU_FOLDER / "cpu0/cpufreq/scaling_governor") or None,
        "frequency_mhz": _highest(frequencies, 1),
        "temperature_c": _highest(temperatures, _COLDEST),
        "load": os.getloadavg()[0],
        "throttled": bool(int(throttled, 16) & 0xF) if throttled else None,
    }


def read_meter(path: str) -> int:
    """A whole number that a kernel's meter tells.

    Raises:
        InputError: it tells none.
    """
    told = _number(Path(path))
    if told is None:
        raise InputError(
            f"{path} on the device tells no energy and no power", fix="name a file that its user may read, as `power`"
        )
    return told


def canary() -> str:
    """SHA-256 of arithmetic whose every bit is laid down: integers, and single IEEE 754 operations.

    An emulator can lie (QEMU 7.2's `max` does), and so can memory that fails. Square roots are left out: NumPy
    approximates them on 32-bit ARM.
    """
    numbers = (np.arange(1 << 16, dtype=np.uint64) * 2654435761 % (1 << 32)).astype(np.uint32)
    floats = (numbers >> 8).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    square = (numbers.reshape(256, 256) & 0xFF).astype(np.int32) - 128
    shifted = np.roll(floats, 1)
    parts = [
        square @ square.T,
        (square.astype(np.int8) >> 1),
        floats * shifted,
        floats + shifted,
        np.rint(floats * 128),
    ]
    parts += [floats / (shifted + np.float32(2)), floats.astype(np.float64), floats > shifted]
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def pin(cores: Tuple[int, ...]) -> None:
    """Run on these cores only; all if none are named.

    Raises:
        InputError: they are not there.
    """
    if not cores:
        return
    there = sorted(os.sched_getaffinity(0))
    if not set(cores) <= set(there):
        raise InputError(
            f"cores {sorted(cores)} were asked for, and it has {there}", fix="name others as `cores` in devices.yaml"
        )
    os.sched_setaffinity(0, cores)


def _cpu() -> str:
    """The board's name where there is one, and the CPU's."""
    model = (_text(Path("/proc/device-tree/model")) or "").rstrip("\0")
    text = _text(Path("/proc/cpuinfo")) or ""
    found = dict(re.findall(r"^(model name|Hardware|CPU implementer|CPU part)\s*:\s*(.+)$", text, re.MULTILINE))
    part = " ".join(found[key] for key in ("CPU implementer", "CPU part") if key in found)
    return ", ".join(filter(None, (model, found.get("model name") or found.get("Hardware") or part))) or "unknown"


def _features() -> str:
    """Of every core, where they are not alike."""
    listed = re.findall(r"^(?:flags|Features)\s*:\s*(.+)$", _text(Path("/proc/cpuinfo")) or "", re.MULTILINE)
    return " ".join(sorted(set(_FEATURES).intersection(*map(str.split, listed)))) if listed else ""


def _os() -> str:
    release = _text(Path("/etc/os-release")) or ""
    named = re.search(r'^PRETTY_NAME="?([^"\n]*)', release, re.MULTILINE)
    return " ".join(filter(None, (named and named.group(1), platform.system(), platform.release())))


def _versions() -> Dict[str, str]:
    found = {}
    for package in ("numpy", *(name for names in PACKAGES.values() for name in names)):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _text(path: Path) -> Optional[str]:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None


def _number(path: Path) -> Optional[int]:
    with suppress(TypeError, ValueError):
        return int(_text(path) or "")
    return None


def _highest(values: List[Optional[int]], least: int) -> Optional[float]:
    """Of thousandths; sensors that are switched off tell zero, or colder than anything is."""
    told = [value for value in values if value is not None and least <= value <= _MOST]
    return max(told) / 1e3 if told else None
