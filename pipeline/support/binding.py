"""What a shared store says the outcome of a stage is: its files by path, size and SHA-256, under the outcome's name.

In: an outcome's files, or a stranger's bytes. Out: a binding's bytes, signed where there is a key; or a binding to be
followed: of this name, with paths that stay in a folder, of a size that one may have, signed where a key must have done
so. Contents have hashes to be held to; a binding has nothing but its signature.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Self

from pydantic import Field, ValidationError, model_validator

from ghostface_edge.pipeline.support.dsse import Signer, parse_signed, require_signed_by
from ghostface_edge.pipeline.support.manifest import MANIFEST
from ghostface_edge.pipeline.support.member_names import problem_of_all, problem_of_name
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.json_text import parse_json, to_json
from ghostface_edge.reports.printable import printable, shortened
from ghostface_edge.reports.record import Count, Record, Sha256, Text, first_problem

if TYPE_CHECKING:
    from ghostface_edge.pipeline.support.dsse import PublicKey

MAX_BINDING_BYTES: Final = 4 * 2**20
MAX_OUTCOME_BYTES: Final = 4 * 2**30
"""Of all files of an outcome: what the local store keeps."""
_MAX_FILES: Final = 10_000
_KIND: Final = "application/vnd.ghostface-edge.binding+json"
_SOURCE: Final = "its binding"
_FIX: Final = "let the stage run again"


class BoundFile(Record):
    """A file of an outcome."""

    path: Text
    size: Count
    sha256: Sha256


class Binding(Record):
    """An outcome of a stage."""

    name: Text
    """Of the stage, and the key of its inputs."""
    files: tuple[BoundFile, ...] = Field(max_length=_MAX_FILES)
    empty_folders: tuple[Text, ...] = Field(max_length=_MAX_FILES)

    @model_validator(mode="after")
    def _stays_in_its_folder(self) -> Self:
        paths = [*(file.path for file in self.files), *self.empty_folders]
        problem = next(filter(None, map(problem_of_name, paths)), None) or problem_of_all(paths)
        if problem is not None:
            raise ValueError(problem)
        if any(path.split("/")[0] == MANIFEST for path in paths):
            raise ValueError(f"{MANIFEST} is no file of an outcome")
        if sum(file.size for file in self.files) > MAX_OUTCOME_BYTES:
            raise ValueError(f"more than {MAX_OUTCOME_BYTES:,} bytes")
        return self


def describe(name: str, entries: Mapping[str, tuple[int | None, str | None]]) -> Binding:
    """The binding of a whole outcome.

    Args:
        name: of the outcome.
        entries: size and SHA-256 of every file by its path, None of a folder.

    Raises:
        InputError: a reader would refuse it.
    """
    files = [
        {"path": path, "size": size, "sha256": sha256}
        for path, (size, sha256) in sorted(entries.items())
        if size is not None
    ]
    filled = {path.rpartition("/")[0] for path in entries}
    empty = [path for path, (size, _) in sorted(entries.items()) if size is None and path not in filled]
    try:
        return Binding.model_validate({"name": name, "files": tuple(files), "empty_folders": tuple(empty)})
    except ValidationError as error:
        raise InputError(first_problem(error), fix="use it where it was made") from None


def write_binding(binding: Binding, signer: Signer | None) -> bytes:
    """The bytes of a binding."""
    text = to_json(binding.model_dump(mode="json"))
    return (text if signer is None else signer.sign(text.encode(), _KIND).to_json()).encode()


def read_binding(data: bytes, name: str, key: "PublicKey | None") -> Binding:
    """Read a stranger's binding.

    Args:
        data: what lies under the name.
        name: of the outcome that is looked for.
        key: must have signed it; None believes anybody.

    Raises:
        InputError: it is none, or another's, or nobody stands for it.
    """
    document = parse_json(data, _SOURCE, fix=_FIX)
    if isinstance(document, dict) and "dsseEnvelope" in document:
        signed = parse_signed(data, _SOURCE, _FIX, _KIND)
        if key is not None:
            require_signed_by(signed, key, _SOURCE, _FIX)
        data = signed.payload(_SOURCE, _FIX)
        parse_json(data, _SOURCE, fix=_FIX)
    elif key is not None:
        raise InputError("nobody has signed it", fix=_FIX)
    try:
        binding = Binding.model_validate_json(data, strict=True)
    except ValidationError as error:
        raise InputError(f"{_SOURCE} is none: {first_problem(error)}", fix=_FIX) from None
    if binding.name != name:
        raise InputError(f"{_SOURCE} is that of {shortened(printable(binding.name))}", fix=_FIX)
    return binding
