import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-Wconversion")


@pytest.fixture(scope="session")
def sources():
    """The runners' folder of sources."""
    return Path(str(files("ghostface_edge.targets.runners"))) / "sources"


@pytest.fixture(scope="session")
def compile_c():
    """The system's compiler; warnings are errors."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: install gcc")

    def run(out, *arguments):
        subprocess.run([compiler, *STRICT, "-o", out, *arguments], check=True)
        return out

    return run
