"""YAML that people write: policies and recipes.

In: a file. Out: a mapping of plain values: text, numbers, yes and no, nothing, lists, mappings. A date stays text.
Refused, with the line, are a key given twice, tags, what repeats itself without end, and sizes that nobody writes by
hand.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.read import read_text

MAX_BYTES: Final = 2**18
_MAX_DEPTH: Final = 32
_MAX_NODES: Final = 20_000
"""Values of a file, each counted as often as it is repeated by an alias."""
_BIGGEST: Final = 2**63
_LONGEST: Final = 40
"""Characters of a number."""
_MEND = "mend the line it names"

if TYPE_CHECKING:
    from yaml import SafeLoader as _SafeLoader
else:
    _SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_mapping(path: Path, *, fix: str) -> dict[str, object]:
    """Read a YAML file that holds keys with values.

    Args:
        path: where.
        fix: what to give instead where there is no such file.

    Raises:
        InputError: no ordinary file, too large, no YAML, no mapping, or more than plain values.
    """
    text = read_text(path, fix=fix, at_most=MAX_BYTES)
    try:
        _check_shape(text)
        content = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a safe loader, made safer
    except yaml.YAMLError as error:
        raise InputError(f"{path} is no YAML: {_where(error, text)}", fix=_MEND) from None
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no mapping", fix="write keys and values, `key: value` a line each")
    return content


class _PlainLoader(_SafeLoader):
    """PyYAML's safe loader, for plain values only."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse keys that are no text, or are there twice."""
        seen = set()
        for key, _ in node.value:
            if key.tag not in {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}:
                raise yaml.constructor.ConstructorError(
                    None, None, "a key has to be text; write it in quotes", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{shortened(key.value)}' is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_number(self, node: yaml.ScalarNode) -> float:
        """Refuse what only looks like a number, and numbers that no computer counts with."""
        whole = node.tag == "tag:yaml.org,2002:int"
        try:
            long = len(node.value) > _LONGEST
            value = _BIGGEST if long else (self.construct_yaml_int if whole else self.construct_yaml_float)(node)
        except (ValueError, OverflowError):
            value = _BIGGEST
        if abs(value) >= _BIGGEST:
            raise yaml.constructor.ConstructorError(
                None, None, f"{shortened(node.value)} is too large, or no number", node.start_mark
            )
        return value


for _kind in ("int", "float"):
    _PlainLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _PlainLoader.construct_number)
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _SafeLoader.yaml_implicit_resolvers.items()
}

_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+$"),  # YAML 1.1 takes 4e-3 for text
    list("-+.0123456789"),
)


def _check_shape(text: str) -> None:
    """Walk the file's events, which costs next to nothing, before anything is built of them."""
    sizes: dict[str, int] = {}  # of what anchors name, from where it is complete
    opened: list[tuple[str | None, int]] = []
    nodes = 0
    for event in yaml.parse(text, Loader=_SafeLoader):
        if isinstance(event, yaml.NodeEvent):
            nodes += _size_of(event, sizes)
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, nodes))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor is not None:
                sizes[anchor] = nodes - before + 1
        if len(opened) > _MAX_DEPTH:
            raise _refused(f"more than {_MAX_DEPTH} lists and mappings within each other", event)
        if nodes > _MAX_NODES:
            raise _refused(f"more than {_MAX_NODES:,} values, those of aliases counted each time", event)


def _size_of(event: yaml.NodeEvent, sizes: dict[str, int]) -> int:
    """Count the values that an event stands for; refuse tags, and aliases of what they are part of."""
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in sizes:
            raise _refused(f"*{shortened(str(event.anchor))} names nothing that is complete before it", event)
        return sizes[event.anchor]
    if event.tag is not None:  # type: ignore[attr-defined]
        raise _refused(f"the tag {shortened(event.tag)} has no place here; write the value alone", event)  # type: ignore[attr-defined]
    if isinstance(event, yaml.ScalarEvent) and event.anchor is not None:
        sizes[event.anchor] = 1
    return 1


def _refused(problem: str, event: yaml.Event) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, problem, event.start_mark)  # type: ignore[arg-type]


def _where(error: yaml.YAMLError, text: str) -> str:
    """Say what is wrong, and in which line."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        problem = " ".join(str(part) for part in (error.problem, error.context) if part)  # type: ignore[attr-defined]
        return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
    position = getattr(error, "position", None)
    line = "" if position is None else f"line {text.count(chr(10), 0, position) + 1}: "
    return f"{line}{getattr(error, 'reason', None) or ' '.join(str(error).split())}"
