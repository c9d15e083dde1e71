"""A plan over tiny networks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ghostface_edge.pipeline.checkpoints.weights_file import write_safetensors
from ghostface_edge.pipeline.matrix.cells import PlannedCell, cells_of
from ghostface_edge.pipeline.matrix.plan import Plan
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.synthetic.sets import write_calibration, write_pairs

from ..conftest import MakeCheckpoint

MakeCells = Callable[..., tuple[PlannedCell, ...]]


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory, make_checkpoint: MakeCheckpoint) -> Path:
    """Folder with `one.safetensors`, `two.safetensors`, `pairs.bin`, `calibration/` and `short.yaml`."""
    folder = tmp_path_factory.mktemp("matrix")
    for name, size in (("one", 64), ("two", 32)):
        network = make_checkpoint(Architecture(width=0.2, stride=2, embedding_size=size))
        write_safetensors(network, folder / f"{name}.safetensors")
    write_pairs(folder, 40, seed=0).rename(folder / "pairs.bin")
    write_calibration(folder / "calibration", 12, seed=0)
    (folder / "short.yaml").write_text("name: short\nranges: {method: min-max, faces: 8}\n")
    return folder


@pytest.fixture
def make_cells(inputs: Path, tmp_path: Path) -> MakeCells:
    """The cells of a plan over these inputs; keys replace or add to its own."""

    def make(**changed: object) -> tuple[PlannedCell, ...]:
        keys = {"checkpoints": ("one.safetensors",), "targets": ("tflite-fp32",), "pairs": ("pairs.bin",)}
        plan = Plan.model_validate({**keys, "calibration": "calibration", **changed})
        return cells_of(plan, inputs, tmp_path / "out")

    return make
