"""Pages of what `report.json` and a policy hold, from the models that read them."""

import ast
import inspect
import json
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report

_Schema = Mapping[str, object]
_HUGE = 1e12
"""A bound that only keeps numbers finite."""


def report_page() -> str:
    """Markdown on `report.json`."""
    return _page(
        Report,
        "report.json",
        "What a run writes and every other verb reads. Fractions are fractions (`mean` 0.9872); names that end in "
        "`_pp` are percentage points, in `_ms` milliseconds, in `_mb` megabytes. Fields that are not listed here are "
        "refused, and so are figures that contradict each other: [what a report has to be]"
        "(../ci.md#what-a-report-has-to-be). The same as JSON schema ships as `reports/report.schema.json`.",
    )


def policy_page() -> str:
    """Markdown on policies."""
    return _page(
        Policy,
        "Policies",
        "What `--policy` reads. How rules are judged and what the metrics mean: [the gate in CI](../ci.md#a-policy). "
        "The same as JSON schema ships as `reports/policy.schema.json`.",
    )


def _page(model: type[BaseModel], title: str, about: str) -> str:
    schema = model.model_json_schema(mode="serialization" if model is Report else "validation")
    said = {each.__name__: _said_of_fields(each) for each in _models(model, set())}
    parts = [f"# {title}", about]
    parts += _section(model.__name__, "The whole", schema, said.get(model.__name__, {}))
    definitions = schema["$defs"]
    for name in sorted(definitions):
        parts += _section(name, name, definitions[name], said.get(name, {}))
    return "\n\n".join(parts) + "\n"


def _section(name: str, title: str, schema: _Schema, said: Mapping[str, str]) -> Iterator[str]:
    yield f"## {title} {{#{name.lower()}}}"
    if about := schema.get("description"):
        yield _escaped(str(about))
    if values := schema.get("enum"):
        assert isinstance(values, list)
        yield "One of " + ", ".join(f"`{value}`" for value in values) + "."
    fields = schema.get("properties", {})
    assert isinstance(fields, dict)
    required = schema.get("required", ())
    assert isinstance(required, list | tuple)
    for field, what in fields.items():
        default = "" if field in required or "default" not in what else f", default `{json.dumps(what['default'])}`"
        note = f"\n    {_escaped(said[field])}" if field in said else ""
        yield f"`{field}`\n:   {_kind(what)}{_bounds(what)}{default}.{note}"


def _kind(what: _Schema) -> str:  # noqa: PLR0911 - one line per kind
    """The type of a field in words, with links."""
    match what:
        case {"$ref": str(place)}:
            name = place.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": list(choices)} | {"oneOf": list(choices)}:
            return " or ".join(dict.fromkeys(_kind(choice) for choice in choices))
        case {"enum": list(values)}:
            return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in values)
        case {"const": value}:
            return f"`{json.dumps(value)}`"
        case {"type": "array", "prefixItems": list(parts)}:
            return f"list of {len(parts)}: " + ", ".join(_kind(part) for part in parts)
        case {"type": "array", "items": dict(item)}:
            return f"list of {_kind(item)}"
        case {"type": "object", "additionalProperties": dict(item)}:
            return f"mapping to {_kind(item)}"
        case {"type": "string", "format": str(form)}:
            return form
        case {"type": str(kind)}:
            return {"null": "nothing", "number": "number", "string": "text", "boolean": "true or false"}.get(kind, kind)
    return "any value"


def _bounds(what: _Schema) -> str:
    """Limits of a number, where they are more than finite."""
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [(word, what[key]) for key, word in words.items() if key in what]
    return "".join(
        f", {word} {value:g}" for word, value in found if isinstance(value, int | float) and abs(value) < _HUGE
    )


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """A model with all that its fields hold."""
    if model not in seen:
        seen.add(model)
        for field in model.model_fields.values():
            for part in _parts(field.annotation):
                _models(part, seen)
    return seen


def _parts(annotation: object) -> Iterator[type[BaseModel]]:
    """Models within an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _parts(inner)


def _said_of_fields(model: type[BaseModel]) -> dict[str, str]:
    """What stands under each field in the source, of the model and those it is made from."""
    said: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if not issubclass(each, BaseModel) or each is BaseModel:
            continue
        body = ast.parse(inspect.cleandoc(f"\n{inspect.getsource(each)}")).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, under in zip(body.body, body.body[1:], strict=False):
            match field, under:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    said[name] = " ".join(text.split())
    return said


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("[", r"\[")
