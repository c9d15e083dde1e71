"""Emulated ARM CPUs: QEMU's user mode over a userland of Debian's and Python's packages.

A userland is made by `userland.install`; each CPU gets a prefix of its own, since QEMU before 10 shows its guest the
host's `/proc/cpuinfo`, by which LiteRT and ONNX Runtime choose kernels, or crash.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ghostface_edge.reports.errors import RuntimeMissingError

INSTALL: Final = "ghostface-edge devices install qemu"
WHOLE: Final = "whole"
"""File of a userland that is all there."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """What a CPU is to programs that ask.

    Args:
        architecture: Debian's name of it.
        part: of ARM's numbers, as `/proc/cpuinfo` and MIDR_EL1 have it.
        features: as `/proc/cpuinfo` lists them.
    """

    architecture: str
    part: int
    features: str


_V8: Final = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
_V82: Final = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
_V7: Final = "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm"
CPUS: Final = MappingProxyType(
    {
        "cortex-a53": Cpu("arm64", 0xD03, _V8),
        "cortex-a57": Cpu("arm64", 0xD07, _V8),
        "cortex-a72": Cpu("arm64", 0xD08, _V8),
        "cortex-a76": Cpu("arm64", 0xD0B, _V82),
        "neoverse-n1": Cpu("arm64", 0xD0C, _V82),
        "cortex-a7": Cpu("armhf", 0xC07, _V7),
        "cortex-a15": Cpu("armhf", 0xC0F, _V7),
    }
)
"""By QEMU's name. Of its 7.2, `max` computes garbage, so real CPUs are named."""
EMULATORS: Final = MappingProxyType({"arm64": "qemu-aarch64", "armhf": "qemu-arm"})
_ALTERNATIVES: Final = ("*/blas/lib*.so.3", "*/lapack/lib*.so.3")
"""Of Debian's NumPy: libraries that its installer would link to where loaders look."""
_CORES: Final = 4


def far_side(cpu: str, application: Path, userlands: Path) -> tuple[str, ...]:
    """The command that starts a far side on an emulated CPU.

    Args:
        cpu: a name of `CPUS`.
        application: that the far side is written to.
        userlands: folder that they are installed in.

    Raises:
        RuntimeMissingError: no emulator, or no userland.
    """
    architecture = CPUS[cpu].architecture
    userland = userlands / architecture
    emulator = find_emulator(architecture, userlands)
    if emulator is None or not (userland / WHOLE).is_file():
        missing = f"the userland of {architecture}" if emulator else EMULATORS[architecture]
        raise RuntimeMissingError(f"{cpu}: {missing} is not installed", fix=INSTALL)
    prefix = _prefix(cpu, userland)
    python = next(path for path in sorted((prefix / "usr/bin").glob("python3.[0-9]*")) if path.is_file())
    environment = {"PYTHONPATH": userland / "site", "PYTHONDONTWRITEBYTECODE": 1, "PYTHONHASHSEED": 0}
    if libraries := sorted({path.parent for name in _ALTERNATIVES for path in (prefix / "usr/lib").glob(name)}):
        environment["LD_LIBRARY_PATH"] = ":".join(map(str, libraries))
    settings = (part for name, value in environment.items() for part in ("-E", f"{name}={value}"))
    return (str(emulator), "-L", str(prefix), "-cpu", cpu, *settings, str(python), "-s", str(application))


def find_emulator(architecture: str, userlands: Path) -> Path | None:
    """QEMU's user mode for an architecture: what was installed with the userlands, else what the system has."""
    name = EMULATORS[architecture]
    own = userlands / "qemu/usr/bin" / f"{name}-static"
    found = str(own) if own.is_file() else shutil.which(name) or shutil.which(f"{name}-static")
    return Path(found) if found else None


def _prefix(cpu: str, userland: Path) -> Path:
    """A folder that looks like the root of a machine with this CPU; made where it is not there."""
    prefix = userland / "cpus" / cpu
    if not (prefix / "proc/cpuinfo").is_file():
        for folder in ("bin", "etc", "lib", "usr"):
            (prefix / folder).parent.mkdir(parents=True, exist_ok=True)
            if not (prefix / folder).is_symlink():
                (prefix / folder).symlink_to(userland / "root" / folder)
        part = CPUS[cpu].part
        for core in range(_CORES):
            midr = prefix / f"sys/devices/system/cpu/cpu{core}/regs/identification/midr_el1"
            midr.parent.mkdir(parents=True, exist_ok=True)
            midr.write_text(f"0x{0x41 << 24 | 0xF << 16 | part << 4:016x}\n")
        (prefix / "proc").mkdir(exist_ok=True)
        (prefix / "proc/cpuinfo").write_text("".join(_cpuinfo(core, CPUS[cpu]) for core in range(_CORES)))
    return prefix


def _cpuinfo(core: int, cpu: Cpu) -> str:
    architecture = 8 if cpu.architecture == "arm64" else 7
    return (
        f"processor\t: {core}\nBogoMIPS\t: 108.00\nFeatures\t: {cpu.features}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: {architecture}\nCPU variant\t: 0x0\nCPU part\t: 0x{cpu.part:x}\nCPU revision\t: 0\n\n"
    )
