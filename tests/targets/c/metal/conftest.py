"""Tools of bare metal; tests that need them are skipped where they are not installed."""

import pytest

from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.c.metal.cores import COMPILER, EMULATOR, find


@pytest.fixture(scope="session")
def emulator():
    try:
        find(COMPILER)
        return find(EMULATOR)
    except RuntimeMissingError as missing:
        pytest.skip(f"{missing.message}: {missing.fix}")
