"""The files that a report names, beside the report and its pages.

In: a report, maybe a stranger's. Out: relative names, with what the report says of them; a name that could lead
anywhere else than into the folder or the bundle of the report is refused.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias

from ghostface_edge.pipeline.support.member_names import problem_of_all, problem_of_name
from ghostface_edge.reports.report import Artifact, Report, Variant
from ghostface_edge.targets.table import load_target

Refuse: TypeAlias = Callable[[str], NoReturn]
"""Raises an `InputError` that says where the problem is and how to mend it."""


@dataclass(frozen=True, slots=True)
class Model:
    """A variant's artifact."""

    variant: str
    files: tuple[str, ...]
    """In the order in which their bytes are hashed."""
    bytes: int
    """Of all of them."""
    sha256: str
    """Of their bytes, one after the other."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a report names."""

    models: tuple[Model, ...]
    files: Mapping[str, str | None]
    """SHA-256 by name, None where the report does not state it."""


def shipped_files(report: Report, beside: Collection[str], refuse: Refuse) -> Shipped:
    """List the models of a report and every file that it names: models, datasheets, firmware.

    Args:
        report: of a run.
        beside: names of other files, which none of these may have.
        refuse: called with what is wrong.

    Raises:
        InputError: by `refuse`: a name that is no relative path, two names that some system takes for one, a runtime
            that is not known.
    """
    models: list[Model] = []
    files: dict[str, str | None] = {}
    for variant in report.local_variants:
        names = [*variant.files]
        if variant.artifact is not None:
            models.append(_model(variant, variant.artifact, refuse))
            names += models[-1].files
        names += variant.firmware.files if variant.firmware is not None else ()
        names += [name for estimate in variant.estimates for name in (estimate.path, *estimate.files)]
        for name in names:
            stated = variant.files.get(name)
            if files.setdefault(name, stated) != stated:
                refuse(f"the report says of {name} that it is two different files")
    if problem := next(filter(None, map(problem_of_name, files)), None):
        refuse(f"the report names a file that it cannot have: {problem}")
    if problem := problem_of_all([*beside, *files]):
        refuse(f"the report names files that cannot be beside each other: {problem}")
    return Shipped(tuple(models), files)


def _model(variant: Variant, artifact: Artifact, refuse: Refuse) -> Model:
    if problem := problem_of_name(artifact.path):
        refuse(f"the report names a file that it cannot have: {problem}")
    try:
        target = load_target(variant.runtime)
    except KeyError:
        refuse(f"{variant.id} is for {variant.runtime!r}, a runtime that is not known here")
    files = tuple(file.as_posix() for file in target.files(Path(artifact.path)))
    return Model(variant.id, files, artifact.bytes, artifact.sha256)
