import ast
from importlib.resources import files

import pytest

from ghostface_edge.targets.environment import Environment
from ghostface_edge.targets.places.application import BOARD, SEAM, application
from ghostface_edge.targets.table import ENVIRONMENTS, load_environment

SENT = [(BOARD, module) for module in BOARD]
for environment in map(load_environment, ENVIRONMENTS):
    if not isinstance(environment, Environment):  # Node is given a file of its own
        continue
    together = (*SEAM, "targets.places.inventory", *environment.modules)
    SENT += [(together, module) for module in together[len(SEAM) :]]


@pytest.mark.parametrize(("together", "module"), SENT)
def test_what_is_sent_is_written_for_python_3_9_and_needs_nothing_else(together, module):
    package, *parts = module.split(".")
    source = files(f"ghostface_edge.{package}").joinpath(*parts[:-1], f"{parts[-1]}.py").read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    hidden = {
        node
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.unparse(guard.test)
        for node in ast.walk(guard)
    }
    taken = {f"ghostface_edge.{name}" for name in together}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in hidden and node.module.startswith("ghostface_edge"):
            assert node.module in taken or {f"{node.module}.{name.name}" for name in node.names} <= taken


def test_the_file_is_the_same_every_time():
    first = application(BOARD)
    application.cache_clear()
    assert application(BOARD) == first
