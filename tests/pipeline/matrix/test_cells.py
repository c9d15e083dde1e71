"""From a plan to jobs."""

import shutil
from pathlib import Path

import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.table import parse_variants

from .conftest import MakeCells


def test_cells_are_one_of_each_axis(make_cells: MakeCells, tmp_path: Path) -> None:
    cells = make_cells(checkpoints=("one.safetensors", "two.safetensors"), recipes=("fast", "short.yaml"), seeds=(0, 1))
    assert len({cell.id for cell in cells}) == len(cells) == 8
    assert [cell.axes.seed for cell in cells[:3]] == [0, 1, 0]
    last = cells[-1]
    assert (last.axes.checkpoint, last.axes.recipe, last.axes.pairs) == (
        "two.safetensors",
        "short.yaml",
        ("pairs.bin",),
    )
    assert last.job.variants == parse_variants(["tflite-fp32"])
    assert last.job.recipe.name == "short"
    assert last.job.out == tmp_path / "out/cells" / last.id
    assert not last.job.nobody_shared
    assert last.id.startswith("two-short-tflite-fp32-pairs-s1-")


def test_a_cell_names_the_command_that_runs_it_alone(make_cells: MakeCells, inputs: Path) -> None:
    (cell,) = make_cells(recipes=("short.yaml",), calibration_faces=9)
    command = cell.job.command
    assert command is not None
    assert command.startswith(f"ghostface-edge run {inputs}/short.yaml --checkpoint {inputs}/one.safetensors")
    assert command.endswith(f"--pairs {inputs}/pairs.bin --targets tflite-fp32 --calibration-faces 9 --seed 0 --jobs 1")


def test_a_cells_name_changes_with_what_decides_it_and_with_nothing_else(make_cells: MakeCells, inputs: Path) -> None:
    recipe = inputs / "changing.yaml"
    recipe.write_text("name: changing\n")
    (first,) = make_cells(recipes=("changing.yaml",))
    assert make_cells(recipes=("fast", "changing.yaml"))[1].id == first.id
    recipe.write_text("name: changing\nsensitivity_faces: 3\n")
    (second,) = make_cells(recipes=("changing.yaml",))
    recipe.write_text("name: changing\nlimits: {export: {minutes: 3}}\n")
    (third,) = make_cells(recipes=("changing.yaml",))
    assert second.id != first.id == third.id


def test_another_calibration_face_is_another_cell(make_cells: MakeCells, inputs: Path) -> None:
    copy = inputs / "another"
    shutil.copytree(inputs / "calibration", copy)
    (first,) = make_cells()
    (same,) = make_cells(calibration="another")
    next(copy.rglob("*.png")).unlink()
    (other,) = make_cells(calibration="another")
    assert other.id != first.id == same.id


def test_nothing_named_is_the_embedded_network_on_rendered_faces(make_cells: MakeCells) -> None:
    (cell,) = make_cells(checkpoints=(), pairs=(), calibration=None)
    assert cell.axes.checkpoint == "embedded"
    assert cell.job.nobody_shared
    assert cell.job.faces.calibration is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seeds": (1, 1)}, "asks twice"),
        ({"calibration": None}, "belong together"),
        ({"calibration": "nowhere"}, "is no folder"),
        ({"checkpoints": ("none.h5",)}, "none.h5"),
        ({"recipes": ("blanced",)}, "no quantization recipe"),
        ({"targets": ("tflight",)}, "no target or variant"),
        ({"seeds": tuple(range(1000)), "targets": ("c", "tflite") * 60}, "more than 40,000"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(
    make_cells: MakeCells, changed: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        make_cells(**changed)
