"""What cells share is one task."""

from collections import Counter

import pytest

from ghostface_edge.pipeline.matrix.cells import PlannedCell
from ghostface_edge.pipeline.matrix.graph import PlannedTask, resources_of, tasks_of
from ghostface_edge.reports.errors import InputError

from .conftest import MakeCells


def _stages(tasks: tuple[PlannedTask, ...]) -> Counter[str]:
    return Counter(task.stage for task in tasks)


def test_shared_parts_are_made_once(make_cells: MakeCells) -> None:
    cells = make_cells(
        checkpoints=("one.safetensors", "two.safetensors"),
        recipes=("balanced", "short.yaml", "fast"),
        targets=("tflite-int8", "openvino-int8", "c-int8", "tflite-fp32"),
    )
    tasks = tasks_of(cells)
    # one quantization for all runtimes; FP32 is the same whatever the recipe
    assert _stages(tasks) == {"faces": 1, "export": 2, "reference": 2, "quantize": 6, "variant": 20, "cell": 24}
    seen: set[str] = set()
    for task in tasks:
        assert seen.issuperset(task.dependencies)
        seen.add(task.key)
    assert len(seen) == len(tasks)


def test_keys_are_the_same_in_another_process_and_matrix(make_cells: MakeCells) -> None:
    few = {task.key for task in tasks_of(make_cells(targets=("tflite-int8",)))}
    many = {task.key for task in tasks_of(make_cells(targets=("tflite-int8", "c-int8"), recipes=("fast", "balanced")))}
    assert few < many


def test_a_cell_waits_for_its_own_steps_only(make_cells: MakeCells) -> None:
    cells = make_cells(targets=("tflite-fp32", "tflite-int8"))
    by_cell = {
        task.work.axes.targets: {key.rsplit("-", 1)[0] for key in task.dependencies}
        for task in tasks_of(cells)
        if isinstance(task.work, PlannedCell)
    }
    assert by_cell[("tflite-fp32",)] == {"faces", "export", "reference", "variant"}
    assert by_cell[("tflite-int8",)] == {"faces", "export", "reference", "quantize", "variant"}


def test_the_clock_wants_a_quiet_worker_where_there_is_one(make_cells: MakeCells) -> None:
    tasks = tasks_of(make_cells(targets=("tflite-int8",), recipes=("fast",)))
    timed = {task.stage for task in tasks if resources_of(task, [frozenset({"quiet"}), frozenset()]) == {"quiet": 1}}
    assert timed == {"variant", "cell"}
    assert all(resources_of(task, [frozenset()]) == {} for task in tasks)
    balanced = tasks_of(make_cells(targets=("tflite-int8",)))
    assert [task.stage for task in balanced if task.is_timed] == ["cell"]


def test_a_board_is_leased_by_the_cell_that_uses_it(make_cells: MakeCells) -> None:
    (cell,) = make_cells(devices=("exec:true,cortex-m7",))
    (board,) = cell.boards
    task = tasks_of([cell])[-1]
    one, both = frozenset({f"board:{board}"}), frozenset({f"board:{board}", "quiet"})
    assert resources_of(task, [one, frozenset({"quiet"})]) == {f"board:{board}": 1}
    assert resources_of(task, [one, both]) == {f"board:{board}": 1, "quiet": 1}
    with pytest.raises(InputError, match="no worker offers board:") as refused:
        resources_of(task, [frozenset({"quiet"})])
    assert f'--resources "board:{board}=1"' in refused.value.fix
