"""`doctor`: what is here, what of it works, and what is missing, with the line that brings it.

The core is looked at first, with nothing but Python's own library, in processes that may crash; where it is not whole,
nothing else can be asked.
"""

import os
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ghostface_edge.pipeline.tools.finding import Examination, Finding, State
from ghostface_edge.pipeline.tools.installed import TOOL, Requirement, requirements
from ghostface_edge.reports.errors import GhostfaceEdgeError, InputError, RuntimeMissingError
from ghostface_edge.targets.probe import Probed, probe

if TYPE_CHECKING:
    from ghostface_edge.reports.provenance import Host

_CORE_MODULES: Final = (
    *("numpy", "pydantic", "yaml", "psutil", "h5py", "safetensors", "simplejpeg", "cv2", "onnx", "onnxruntime"),
    "cryptography.hazmat.primitives.asymmetric.ed25519",
)
"""With code of their own."""
_RUNTIME_MODULES: Final = MappingProxyType(
    {
        "openvino": "openvino",
        "onnxruntime": "onnxruntime",
        "tflite": "ai_edge_litert.interpreter",
        "tflite-micro": "tflite_micro",
        "ncnn": "ncnn",
    }
)
_INT8: Final = MappingProxyType(
    {
        "amx_int8": "AMX",
        "avx512_vnni": "AVX-512 VNNI",
        "avx_vnni": "AVX-VNNI",
        "i8mm": "i8mm",
        "asimddp": "dotprod",
    }
)
"""Flags of a CPU whose INT8 instructions MLAS (ONNX Runtime), oneDNN (OpenVINO) and XNNPACK (LiteRT) have kernels for.

Source: ONNX Runtime's platform.cpp, oneDNN's "CPU Dispatcher Control", XNNPACK's hardware-config.c.
"""
_ANY: Final = MappingProxyType({"avx2": "AVX2", "asimd": "NEON"})
"""What they make do with."""
_CHOOSING: Final = ("openvino", "onnxruntime", "tflite")
"""They choose kernels by those flags."""
_SATURATING: Final = ("openvino", "onnxruntime")
_DETECTOR: Final = "yunet"


def examine() -> Examination:
    """Look at everything."""
    asked = requirements()
    core = _core([each for each in asked if each.extra is None])
    findings: dict[str, tuple[Finding, ...]] = {"core": tuple(core)}
    if all(each.state is State.OK for each in core):
        findings |= _rest(asked)
    return Examination(
        tool=version(TOOL),
        system=f"Python {platform.python_version()}, {platform.platform()}",
        packages={each.name: each.found for each in asked if each.found is not None},
        findings=findings,
    )


def _core(asked: Sequence[Requirement]) -> Iterator[Finding]:
    unmet = [each for each in asked if not each.is_met]
    if unmet:
        said = ", ".join(f"{each.asked} ({each.found or 'not installed'})" for each in unmet)
        line = " ".join(f"'{each.asked}'" for each in unmet)
        state = State.BROKEN if all(each.found for each in unmet) else State.MISSING
        yield Finding("packages", state, said, f"pip install {line}", is_core=True)
        return
    fault = probe(*_CORE_MODULES).fault
    if fault is not None:
        fix = "install it again: pip install --force-reinstall --no-deps PACKAGE; if that does not help, report it"
        yield Finding("packages", State.BROKEN, fault, fix, is_core=True)
        return
    yield Finding("packages", State.OK, f"all {len(asked)} can be used", is_core=True)


def _rest(asked: Sequence[Requirement]) -> dict[str, tuple[Finding, ...]]:
    """What can be asked of a whole core."""
    from ghostface_edge.pipeline.support.host import describe_host

    host = describe_host()
    return {
        "host": (_host(host),),
        "runtimes": tuple(_runtimes(host)),
        "extras": tuple(_extras(asked)),
        "cache": tuple(look_at_cache()),
        "devices": tuple(_devices()),
        "programs": tuple(_programs()),
    }


def _host(host: "Host") -> Finding:
    usable = len(os.sched_getaffinity(0))
    said = f"{host.cpu}, {host.machine}, {usable} cores usable, {host.memory_gb} GB, {' '.join(host.isa) or 'no SIMD'}"
    return Finding("host", State.OK, said, facts={"host": host.model_dump(mode="json")})


def _runtimes(host: "Host") -> Iterator[Finding]:
    from ghostface_edge.targets.table import runtimes

    names = runtimes()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        torch = pool.submit(_torch)  # takes longest
        yield from pool.map(lambda name: _runtime(name, host), names)
        yield torch.result()


def _runtime(name: str, host: "Host") -> Finding:
    from ghostface_edge.targets.requirements import versions
    from ghostface_edge.targets.table import load_target

    target = load_target(name)
    found = versions(target.packages)
    facts: dict[str, object] = {"versions": found}
    try:
        target.require()
    except RuntimeMissingError as error:
        return Finding(name, State.MISSING, error.message, error.fix, facts=facts)
    probed = probe(_RUNTIME_MODULES[name]) if name in _RUNTIME_MODULES else Probed(None)
    if probed.fault is not None:
        fix = f"pip install --force-reinstall {' '.join(target.packages)}"
        return Finding(name, State.BROKEN, probed.fault, fix, facts=facts)
    uses = _uses(name, host)
    threads = f"{len(os.sched_getaffinity(0))} threads" if target.uses_threads else "one thread"
    numbers = ", ".join(f"{package} {number}" for package, number in found.items())
    said = "; ".join(filter(None, (numbers, ", ".join(uses), threads, " ".join(probed.says))))
    return Finding(name, State.OK, said, facts=facts | {"uses": uses, "says": probed.says})


def _uses(name: str, host: "Host") -> list[str]:
    """Instructions for INT8 that a runtime has kernels for and this CPU has."""
    from ghostface_edge.pipeline.support.host import int8_saturates

    if name == "c":
        from ghostface_edge.targets.c.compiler import find_compiler
        from ghostface_edge.targets.c.native import native_kernels

        return list(native_kernels(find_compiler()))
    if name == "tflite-micro":
        return ["reference kernels"]
    if name not in _CHOOSING:
        return []
    found = [word for flag, word in _INT8.items() if flag in host.isa]
    found = found or [word for flag, word in _ANY.items() if flag in host.isa]
    if name in _SATURATING and int8_saturates(host):
        found.append("no VNNI: sums of two INT8 products saturate")
    return found


def _torch() -> Finding:
    from ghostface_edge.targets.requirements import require_modules, versions

    try:
        require_modules("torch", "torch")
    except RuntimeMissingError as error:
        return Finding("torch", State.MISSING, f"{error.message}: no run, export, quantize or train", error.fix)
    fault = probe("torch").fault
    if fault is not None:
        return Finding("torch", State.BROKEN, fault, "pip install --force-reinstall torch")
    found = versions(["torch"])
    return Finding("torch", State.OK, " ".join(found.values()), facts={"versions": found})


def _extras(asked: Sequence[Requirement]) -> Iterator[Finding]:
    for extra in dict.fromkeys(each.extra for each in asked if each.extra is not None):
        unmet = [each.asked for each in asked if each.extra == extra and not each.is_met]
        if unmet:
            yield Finding(extra, State.MISSING, f"needs {', '.join(unmet)}", f"pip install '{TOOL}[{extra}]'")
        else:
            yield Finding(extra, State.OK, "installed")


def look_at_cache() -> Iterator[Finding]:
    """Whether the cache can be used, and whether the detector lies in it."""
    from ghostface_edge.pipeline.support.cache_contents import look
    from ghostface_edge.pipeline.support.store import Store
    from ghostface_edge.pipeline.tools.fetch import DOWNLOADS
    from ghostface_edge.pipeline.tools.sources import find
    from ghostface_edge.reports.cache_root import default_root

    try:
        root = default_root()
        Store(root)
        contents = look(root)
    except GhostfaceEdgeError as error:
        yield Finding("cache", State.BROKEN, error.message, error.fix, is_core=True)
        return
    facts = {"size_bytes": contents.size_bytes, "limit_bytes": contents.limit_bytes, "free_bytes": contents.free_bytes}
    yield Finding("cache", State.OK, contents.headline(), is_core=True, facts=facts)
    detector = root / DOWNLOADS / find(_DETECTOR).file
    if detector.is_file():
        yield Finding("detector", State.OK, str(detector))
    else:
        said = "YuNet is not in the cache; photographs need it, or --landmarks, or --detector"
        yield Finding("detector", State.MISSING, said, f"{TOOL} fetch {_DETECTOR}")


def _devices() -> Iterator[Finding]:
    from ghostface_edge.pipeline.tools.devices import Checked, known
    from ghostface_edge.reports.cache_root import default_root
    from ghostface_edge.reports.devices import LOCAL
    from ghostface_edge.targets.c.metal.cores import CORES
    from ghostface_edge.targets.devices.emulated import CPUS
    from ghostface_edge.targets.devices.table import DEVICES_FILE

    try:
        listed = {each.name: each for each in known(default_root() / "userlands")}
    except (GhostfaceEdgeError, OSError) as error:
        fix = error.fix if isinstance(error, InputError) else f"check {DEVICES_FILE} and the cache folder"
        yield Finding(str(DEVICES_FILE), State.BROKEN, getattr(error, "message", str(error)), fix)
        return

    def group(name: str, members: Sequence[Checked], said: str) -> Finding:
        unusable = [each for each in members if not each.is_usable]
        if not unusable:
            return Finding(name, State.OK, said)
        return Finding(name, State.MISSING, f"{len(unusable)} of {len(members)} cannot be reached", unusable[0].state)

    own = [each for name, each in listed.items() if name not in {LOCAL, *CPUS, *CORES}]
    yield group(
        str(DEVICES_FILE), own, f"{len(own)} devices" if Path(DEVICES_FILE).is_file() else "none in this folder"
    )
    yield group("emulated Linux", [listed[name] for name in CPUS], ", ".join(CPUS))
    yield group("emulated Cortex-M", [listed[name] for name in CORES], ", ".join(CORES))


def _programs() -> Iterator[Finding]:
    from ghostface_edge.targets.c.compiler import find_compiler
    from ghostface_edge.targets.c.metal import cores

    def look(name: str, find: Callable[[], str]) -> Finding:
        try:
            path = find()
        except RuntimeMissingError as error:
            return Finding(name, State.MISSING, error.message, error.fix)
        try:
            number = cores.version(path)
        except (OSError, ValueError, IndexError) as error:
            return Finding(name, State.BROKEN, f"{path}: {error}", "install it again")
        return Finding(name, State.OK, f"{number} at {path}", facts={"version": number})

    yield look("C compiler", find_compiler)
    yield look(cores.COMPILER, lambda: cores.find(cores.COMPILER))
    yield look(cores.EMULATOR, lambda: cores.find(cores.EMULATOR))
    found = shutil.which("ssh")
    fix = "apt-get install openssh-client"
    yield Finding("ssh", State.OK, found) if found else Finding("ssh", State.MISSING, "for devices behind it", fix)
