"""What tests of every folder share."""

from pathlib import Path

import pytest

from ghostface_edge.pipeline.support.host import describe_host, int8_saturates


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("exact_int8") and int8_saturates(describe_host()):
        pytest.skip("this CPU has no VNNI, so ONNX Runtime's and OpenVINO's INT8 kernels saturate")


@pytest.fixture(scope="session")
def assets() -> Path:
    """The real inputs beside the project; tests that need them skip where they are missing."""
    folder = Path(__file__).resolve().parents[1].parent / "shared/assets"
    if not folder.is_dir():
        pytest.skip("../shared/assets is not there")
    return folder
