"""Userlands for emulated ARM CPUs: Debian's packages and Python's, unpacked into the cache, without root.

`apt-get` works with a state of its own and the host's sources, for another architecture than the host's; packages are
only downloaded, and `dpkg-deb` unpacks them. pip brings wheels of the same versions as this host has. Nothing that is
unpacked runs here other than in the emulator.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ghostface_edge.reports.errors import RuntimeMissingError, ToolError
from ghostface_edge.targets.devices.emulated import WHOLE, find_emulator
from ghostface_edge.targets.places.board_facts import PACKAGES
from ghostface_edge.targets.requirements import versions

_PYTHON: Final = ("python3-minimal", "libpython3-stdlib", "libgomp1", "libatomic1", "libstdc++6")


@dataclass(frozen=True, slots=True)
class Architecture:
    """Where a userland's packages come from.

    Args:
        debian: packages beside Python.
        platform: of wheels.
        wheels: with versions; None stands for the runtimes of this host, at its versions.
    """

    debian: tuple[str, ...]
    platform: str
    wheels: tuple[str, ...] | None = None


ARCHITECTURES: Final = MappingProxyType(
    {
        "arm64": Architecture((), "aarch64"),
        "armhf": Architecture(("python3-numpy",), "armv7l", ("tflite-runtime==2.14.0",)),
    }
)
"""For 32 bits only tflite-runtime has wheels, and it takes the NumPy 1 that Debian has."""
_GLIBCS: Final = ("2_17", "2_24", "2_26", "2_27", "2_28", "2_31", "2_34", "2_35", "2_36")
_RETRIES: Final = "3"
_MB: Final = 1e6


def install(folder: Path, architectures: Sequence[str], say: Callable[[str], None]) -> None:
    """Make userlands under a folder; what is whole stays.

    Args:
        folder: for all of them.
        architectures: Debian's names.
        say: told sizes before anything large is fetched.

    Raises:
        RuntimeMissingError: this host lacks what it takes.
        ToolError: a download failed; running it again goes on from there.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise RuntimeMissingError(
                f"{program} is not here: userlands are made of Debian's packages",
                fix="use Debian or Ubuntu, or name a real device in devices.yaml",
            )
    for architecture in architectures:
        if find_emulator(architecture, folder) is None:
            _install_emulator(folder, say)
        if (folder / architecture / WHOLE).is_file():
            say(f"{architecture}: is there")
        else:
            _install_userland(folder / architecture, architecture, say)


def _install_emulator(folder: Path, say: Callable[[str], None]) -> None:
    """QEMU's user mode for this host, linked statically: it needs nothing else."""
    native = _run(["dpkg", "--print-architecture"]).strip()
    _unpack(_Apt(folder / "apt-qemu", native), ("qemu-user-static",), folder / "qemu", say)


def _install_userland(userland: Path, architecture: str, say: Callable[[str], None]) -> None:
    wanted = ARCHITECTURES[architecture]
    root, site = userland / "root", userland / "site"
    _unpack(_Apt(userland / "apt", architecture), (*_PYTHON, *wanted.debian), root, say)
    python = next(path.name for path in sorted((root / "usr/bin").glob("python3.[0-9]*")))
    wheels = wanted.wheels or tuple(f"{name}=={version}" for name, version in _of_this_host().items())
    say(f"{architecture}: wheels of {', '.join(wheels)}")
    platforms = (part for glibc in _GLIBCS for part in ("--platform", f"manylinux_{glibc}_{wanted.platform}"))
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site), *platforms]
    command += ["--platform", f"manylinux2014_{wanted.platform}", "--python-version", python.removeprefix("python")]
    _run([*command, "--only-binary=:all:", "--no-deps", "--retries", _RETRIES, *wheels])
    shutil.rmtree(userland / "apt")
    size = sum(path.lstat().st_size for path in userland.rglob("*") if path.is_file())
    (userland / WHOLE).touch()
    say(f"{architecture}: {size / _MB:.0f} MB in {userland}")


def _of_this_host() -> dict[str, str]:
    """Runtimes that are installed here, and NumPy."""
    return versions(["numpy", *(name for names in PACKAGES.values() for name in names)])


@dataclass(frozen=True, slots=True)
class _Apt:
    """`apt-get` with a state of its own, for one architecture."""

    folder: Path
    architecture: str

    def __call__(self, *arguments: str) -> str:
        state, archives = self.folder / "state", self.archives
        (state / "lists/partial").mkdir(parents=True, exist_ok=True)
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        options = {
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Install-Recommends": "0",
            "APT::Sandbox::User": "",
            "Acquire::Retries": _RETRIES,
            "Debug::NoLocking": "1",
            "Dir::Cache": str(self.folder),
            "Dir::Cache::archives": str(archives),
            "Dir::State": str(state),
            "Dir::State::status": str(self.folder / "status"),
            "Dir::Log": str(self.folder),
        }
        settings = (part for name, value in options.items() for part in ("-o", f"{name}={value}"))
        return _run(["apt-get", "-q", "-y", *settings, *arguments])

    @property
    def archives(self) -> Path:
        """Downloaded packages."""
        return self.folder / "archives"


def _unpack(apt: _Apt, packages: Sequence[str], root: Path, say: Callable[[str], None]) -> None:
    try:
        apt("update")
    except ToolError as error:  # one list of several may be missing for now: the packages decide
        say(f"{apt.architecture}: {error.message}")
    listed = apt("--print-uris", "install", *packages)
    sizes = [int(size) for size in re.findall(r"^'\S+' \S+\.deb (\d+) ", listed, re.MULTILINE)]
    say(f"{apt.architecture}: {len(sizes)} of Debian's packages, {sum(sizes) / _MB:.0f} MB to download")
    apt("--download-only", "install", *packages)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for package in sorted(apt.archives.glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(package), str(root)])


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")
    except subprocess.CalledProcessError as error:
        lines = [line for line in (error.stderr + error.stdout).splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith(("E:", "ERROR"))), lines[-1] if lines else "")
        raise ToolError(
            f"{command[0]} failed: {said[:300]}", fix="check the network and apt's sources, and run it again"
        ) from error
    return done.stdout
