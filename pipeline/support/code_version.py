"""The version of this package's own source: a changed stage never meets an old artifact."""

import functools
import hashlib
from importlib.resources import files
from pathlib import Path

PACKAGES = ("calibration", "pipeline", "reports", "targets")
"""Of this distribution."""


@functools.cache
def code_version() -> str:
    """Hash of all modules of the four packages."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        root = Path(str(files(f"ghostface_edge.{package}")))
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{package}/{path.relative_to(root).as_posix()}".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
