"""The shape of the source: imports run one way, modules are short, and nothing is read that could run code."""

import ast
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "targets", "calibration", "reports")
"""Each imports only those after it."""
ROOMS = (
    {"cli"},
    {"api"},
    {"bench"},
    {"matrix"},
    {"run"},
    {"release"},
    {"tools"},
    {"stages"},
    {"precision_search"},
    {"quantize", "prepare"},
    {"simulation"},
    {"graph"},
    {"checkpoints", "train"},
    {"network"},
    {"synthetic", "default"},
    {"support"},
)
"""Of pipeline; each imports only those after it."""
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
UNPICKLERS = {"calibration/bin_file.py"}
"""Restricted readers of formats that are pickles."""


def imported(path):
    """Modules of ours that a module imports, also inside functions, without the leading package."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name == "ghostface_edge":
                yield ["pipeline", "api"]
            elif name.startswith("ghostface_edge."):
                yield name.removeprefix("ghostface_edge.").split(".")


def room(parts):
    """The package a module lies in."""
    while not (ROOT.joinpath(*parts) / "__init__.py").is_file():
        parts = parts[:-1]
    return ".".join(parts)


@pytest.fixture(scope="module")
def arrows():
    """(from, to): rooms, with one module that draws it."""
    found = {}
    for path in MODULES:
        here = room(path.relative_to(ROOT).parent.parts)
        for target in imported(path):
            if (there := room(target)) != here:
                found.setdefault((here, there), path.relative_to(ROOT).as_posix())
    return found


def test_packages_import_one_way(arrows):
    order = {package: place for place, package in enumerate(PACKAGES)}
    against = {
        f"{module}: {there}"
        for (here, there), module in arrows.items()
        if order[there.split(".")[0]] < order[here.split(".")[0]]
    }
    assert not against


def test_rooms_of_the_pipeline_import_one_way(arrows):
    order = {f"pipeline.{name}": place for place, names in enumerate(ROOMS) for name in names}
    inside = {pair: module for pair, module in arrows.items() if {*pair} <= order.keys()}
    assert not {f"{module}: {there}" for (here, there), module in inside.items() if order[there] < order[here]}
    rooms = {f"pipeline.{init.parent.name}" for init in (ROOT / "pipeline").glob("*/__init__.py")}
    assert rooms == order.keys()


def test_no_two_rooms_import_each_other_however_far_round(arrows):
    """Take away arrows that begin or end a chain until none is left."""
    left = dict(arrows)
    while ends := {
        pair
        for pair in left
        if pair[1] not in {here for here, _ in left} or pair[0] not in {there for _, there in left}
    }:
        left = {pair: module for pair, module in left.items() if pair not in ends}
    assert not {f"{module}: {here} -> {there}" for (here, there), module in left.items()}


def test_modules_are_short():
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in MODULES}
    assert not {path: length for path, length in lengths.items() if length > 300}
    assert statistics.median(lengths.values()) <= 120


def test_nothing_unpickles_but_restricted_readers():
    """The exception is no danger: it is what torch's own restricted reader raises."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if re.search(
            r"^\s*(import|from) (pickle|dill|cloudpickle|joblib|shelve|marshal)\b",
            text := path.read_text(),
            re.MULTILINE,
        )
        and set(re.findall(r"\bpickle\.(\w+)", text)) != {"UnpicklingError"}
    }
    assert users == UNPICKLERS


def test_torch_loads_weights_only():
    loads = [
        node
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"
    ]
    assert loads
    assert all("weights_only=True" in ast.unparse(node) for node in loads)


def test_modules_named_in_texts_exist():
    """A path or a dotted name of ours in a docstring, a comment or a page."""
    pages = [*ROOT.glob("docs/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    missing = set()
    for path in (*MODULES, *pages):
        text = path.read_text()
        for name in re.findall(rf"(?<![\w./-])((?:{'|'.join(PACKAGES)}|tests)/[\w/]+\.(?:py|yaml|json))\b", text):
            if not (ROOT / name).is_file():
                missing.add(f"{path.relative_to(ROOT)}: {name}")
        for name in re.findall(r"ghostface_edge\.((?:\w+\.)*\w+)", text):
            parts = name.split(".")
            here = ROOT.joinpath(*parts[:2])
            if not (here.is_dir() or here.with_suffix(".py").is_file() or len(parts) == 1):
                missing.add(f"{path.relative_to(ROOT)}: ghostface_edge.{name}")
    assert not missing
