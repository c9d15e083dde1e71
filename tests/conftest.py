"""What tests of every folder share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def assets() -> Path:
    """The real inputs beside the project; tests that need them skip where they are missing."""
    folder = Path(__file__).resolve().parents[1].parent / "shared/assets"
    if not folder.is_dir():
        pytest.skip("../shared/assets is not there")
    return folder
