"""A mapping that people write, as a frozen model: what is not known is refused with the nearest that is.

In: plain values, of a YAML file. Out: the model.
"""

import difflib
import json
from collections.abc import Mapping
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError

from ghostface_edge.reports.errors import InputError

Options = TypeVar("Options", bound=BaseModel)


def parse_options(model: type[Options], content: Mapping[str, object], origin: str, what: str) -> Options:
    """Check a mapping and freeze it.

    Args:
        model: of its keys.
        content: as it was written.
        origin: names it in errors.
        what: it is, for the fix: a recipe, a plan.

    Raises:
        InputError: an unknown key, with the nearest known one, or a value that does not fit.
    """
    try:
        return model.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] != "extra_forbidden":
            raise InputError(f"{origin}: {place}: {first['msg']}", fix=f"correct the value in the {what}") from error
        known = _known_keys(model, first["loc"][:-1])
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
        raise InputError(f"{origin}: unknown key `{place}`", fix=hint) from error


def _known_keys(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Keys of the model at a place of the mapping."""
    for key in place:
        kind = model.model_fields[str(key)].annotation
        model = next(each for each in (kind, *get_args(kind)) if isinstance(each, type) and issubclass(each, BaseModel))
    return sorted(model.model_fields)
