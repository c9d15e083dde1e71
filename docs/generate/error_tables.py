"""Every message that the code can end with, found in its source.

In: the modules of `ghostface_edge`. Out: messages with the way to mend each, by topic. What is filled in at run time is
an ellipsis. Texts are followed through names of constants, variables and the arguments of helpers of one module; a
message that hands on another's has no words of its own and is not listed.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from itertools import product
from pathlib import Path

from ghostface_edge.reports.error_topics import topic_of

PACKAGES = ("calibration", "pipeline", "reports", "targets")
ROOT_ERROR = "GhostfaceEdgeError"
UNKNOWN = "…"
_DEEPEST = 4
_MOST = 12
"""Texts that one message is followed to."""


@dataclass(frozen=True, order=True)
class Message:
    """One error, as a reader meets it."""

    text: str
    fix: str
    kind: str
    modules: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, eq=False)
class Module:
    """A module's source, with what its texts may be made from."""

    name: str
    tree: ast.Module
    others: dict[str, "Module"]
    """All modules by name, this one among them."""

    @cached_property
    def functions(self) -> dict[ast.AST, ast.FunctionDef]:
        """The innermost function around each node."""
        found: dict[ast.AST, ast.FunctionDef] = {}
        for node in ast.walk(self.tree):  # from outside inwards
            if isinstance(node, ast.FunctionDef):
                found |= dict.fromkeys(ast.walk(node), node)
        return found

    @cached_property
    def calls(self) -> list[ast.Call]:
        """All calls."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    @cached_property
    def imports(self) -> dict[str, str]:
        """Names from other modules, with the module of each."""
        return {
            alias.name: (node.module or "").removeprefix("ghostface_edge.")
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def errors(self, kinds: Mapping[str, str]) -> Iterator[tuple[str, ast.Call]]:
        """Each place where an error is made, with its kind."""
        for call in self.calls:
            if (kind := _called(call)) in kinds and (call.args or call.keywords):
                yield kinds[kind], call

    def texts(self, node: ast.expr | None, around: ast.FunctionDef | None, depth: int = 0) -> list[str]:  # noqa: PLR0911 - a kind of expression each
        """What an expression may say."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=parts):
                return self._joined(parts, around, depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([left, right], around, depth)
            case ast.IfExp(body=body, orelse=other):
                return self.texts(body, around, depth) + self.texts(other, around, depth)
            case ast.BoolOp(values=values):
                return [text for value in values for text in self.texts(value, around, depth)]
            case ast.FormattedValue(value=ast.Name() as name):
                return self._named(name.id, around, depth)
            case ast.Name(id=name):
                return self._named(name, around, depth)
        return [UNKNOWN]

    def _joined(self, parts: list[ast.expr], around: ast.FunctionDef | None, depth: int) -> list[str]:
        found = ["".join(row) for row in product(*(self.texts(part, around, depth) for part in parts))]
        return found if len(found) <= _MOST else [UNKNOWN]

    def _named(self, name: str, around: ast.FunctionDef | None, depth: int) -> list[str]:
        """What a name stands for: an argument of the function, a variable of it, a constant of the module."""
        if depth >= _DEEPEST:
            return [UNKNOWN]
        values: list[tuple[ast.expr, ast.FunctionDef | None]] = []
        if around is not None:
            values += [(value, self.functions.get(value)) for value in self._given(name, around)]
            values += [(value, around) for value in _assigned(name, around)]
        values = values or [(value, None) for value in _assigned(name, self.tree, inside=False)]
        texts = {text for value, where in values for text in self.texts(value, where, depth + 1)}
        if not values and (source := self.others.get(self.imports.get(name, ""))):
            texts = {*source._named(name, None, depth + 1)}
        known = sorted(texts - {UNKNOWN})
        return known if known and len(known) <= _MOST else [UNKNOWN]

    def _given(self, name: str, function: ast.FunctionDef) -> Iterator[ast.expr]:
        """What callers in this module give for a function's argument."""
        names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
        known = {*names, *(argument.arg for argument in function.args.kwonlyargs)}
        if name not in known:
            return
        positions = [each for each in names if each not in {"self", "cls"}]
        for call in self.calls:
            if _called(call) == function.name:
                yield from (keyword.value for keyword in call.keywords if keyword.arg == name)
                if name in positions and positions.index(name) < len(call.args):
                    yield call.args[positions.index(name)]


def modules() -> list[Module]:
    """All modules of the package, as it is installed."""
    found: dict[str, Module] = {}
    for package in PACKAGES:
        folder = Path(str(files(f"ghostface_edge.{package}")))
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            name = ".".join(part for part in parts if part != "__init__")
            found[name] = Module(name, ast.parse(path.read_text(encoding="utf-8")), found)
    return list(found.values())


def error_kinds(sources: list[Module]) -> dict[str, str]:
    """Classes of errors that users see, with the one of reports.errors that each is."""
    bases = {
        node.name: [ast.unparse(base) for base in node.bases]
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    }
    kinds = {name: name for name, above in bases.items() if ROOT_ERROR in above}
    while new := {
        name: kinds[above[0]] for name, above in bases.items() if name not in kinds and above[:1] and above[0] in kinds
    }:
        kinds |= new
    return kinds


@cache
def messages() -> dict[str, list[Message]]:
    """All messages, by topic; the topic of a module that has none is nothing."""
    sources = modules()
    kinds = error_kinds(sources)
    found: dict[str, dict[Message, set[str]]] = {}
    for source in sources:
        for kind, call in source.errors(kinds):
            around = source.functions.get(call)
            fix = next((keyword.value for keyword in call.keywords if keyword.arg == "fix"), None)
            fixes = [text for text in source.texts(fix, around) if re.search(r"\w", text)]
            for text in source.texts(call.args[0] if call.args else None, around):
                if re.search(r"\w{2}", text):
                    message = Message(_tidy(text), " · or ".join(dict.fromkeys(map(_tidy, fixes))), kind)
                    found.setdefault(topic_of(source.name), {}).setdefault(message, set()).add(source.name)
    return {
        topic: [
            Message(message.text, message.fix, message.kind, tuple(sorted(names)))
            for message, names in sorted(rows.items(), key=lambda row: row[0].text.strip(f"{UNKNOWN} ,:'").lower())
        ]
        for topic, rows in found.items()
    }


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _assigned(name: str, scope: ast.AST, *, inside: bool = True) -> Iterator[ast.expr]:
    """What is assigned to a name in a function, or at the top of a module."""
    for node in ast.walk(scope) if inside else ast.iter_child_nodes(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                yield value
            case ast.NamedExpr(target=ast.Name(id=target), value=value) if target == name:
                yield value


def _tidy(text: str) -> str:
    """One line; what is filled in next to each other is one thing, and a name in front goes without saying."""
    return re.sub(rf"{UNKNOWN}({UNKNOWN})+", UNKNOWN, " ".join(text.split())).removeprefix(f"{UNKNOWN}: ")
