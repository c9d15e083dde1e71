import ast
from importlib.resources import files

import pytest

from ghostface_edge.targets.places.board_file import MODULES, board_file


@pytest.mark.parametrize("module", MODULES)
def test_what_boards_run_is_written_for_python_3_9(module):
    package, *parts = module.split(".")
    source = files(f"ghostface_edge.{package}").joinpath(*parts[:-1], f"{parts[-1]}.py").read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    hidden = {
        node
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.unparse(guard.test)
        for node in ast.walk(guard)
    }
    taken = {f"ghostface_edge.{name}" for name in MODULES}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in hidden and node.module.startswith("ghostface_edge"):
            assert node.module in taken or {f"{node.module}.{name.name}" for name in node.names} <= taken


def test_the_file_is_the_same_every_time():
    assert board_file() == board_file()
