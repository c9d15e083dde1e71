import shutil
from pathlib import Path

import pytest

from ..targets.conftest import write_ghost_network, write_graph  # noqa: F401 - fixtures

HERE = Path(__file__).parent
ENTRY_POINT = """
[ghostface_edge.targets]
onnx-reference = onnx_reference_runtime:OnnxReferenceTarget
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Let another process import what these tests define, under the names they have here."""
    monkeypatch.syspath_prepend(HERE.parents[1])


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A folder on the path that holds the runtime's package as pip would install it."""
    site = tmp_path / "site"
    metadata = site / "onnx_reference_runtime-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: onnx-reference-runtime\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINT)
    shutil.copy(HERE / "onnx_reference_runtime.py", site)
    monkeypatch.syspath_prepend(site)
    return site
