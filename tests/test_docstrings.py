"""Docstrings name modules, and things in modules, that exist."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("calibration", "pipeline", "reports", "targets")
DOTTED = re.compile(r"`([a-z_]\w*(?:\.\w+)+)(?:\(.*?\))?`")
FILES = re.compile(r".*\.(bin|c|h|idx|json|npy|onnx|pt|rec|safetensors|svg|tgz|txt|yaml)")
TREES = {
    path.relative_to(ROOT).with_suffix("").parts: ast.parse(path.read_text(encoding="utf-8"))
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
}
MODULES = {parts[:-1] if parts[-1] == "__init__" else parts: tree for parts, tree in TREES.items()}


def docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def names_in(tree: ast.Module) -> set[str]:
    """What a module defines or imports at its top, and the members of its classes."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def resolves(name: str) -> bool:
    """Whether some module's path ends as the name begins, and holds what comes after."""
    parts = tuple(name.removeprefix("ghostface_edge.").split("."))
    for cut in range(len(parts), 0, -1):
        for module, tree in MODULES.items():
            if module[-cut:] == parts[:cut] and names_in(tree).issuperset(parts[cut:]):
                return True
    return False


def test_modules_that_docstrings_name_exist() -> None:
    missing = {
        f"{'/'.join(module)}.py: {name}"
        for module, tree in TREES.items()
        for text in docstrings(tree)
        for name in DOTTED.findall(text)
        if not FILES.fullmatch(name) and not resolves(name) and find_spec(name.split(".", 1)[0]) is None
    }
    assert missing == set()


def test_what_is_gone_is_noticed() -> None:
    assert resolves("targets.protocol.Embedder")
    assert resolves("image_file.check_header")
    assert not resolves("targets.protocol.Nothing")
    assert not resolves("targets.tflite_micro.firmware")
