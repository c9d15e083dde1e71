"""in-toto statements: what is said of which files, in the words of a predicate.

In: names and SHA-256 of files, a predicate. Out: a value whose JSON is a statement, and back.
Source: in-toto attestation framework, spec v1, "Statement" and "ResourceDescriptor"; SLSA, provenance v1.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field, JsonValue, ValidationError

from ghostface_edge.pipeline.support.dsse import Attested
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.json_text import parse_json
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.provenance import Host
from ghostface_edge.reports.record import AtLeastOne, Count, Sha256, Text, first_problem

PROVENANCE_FILE: Final = "provenance.json"
"""In the output folder of a run."""
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PROVENANCE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:ghostface-edge:run:v1"
"""Says what `externalParameters` and `internalParameters` mean: those of `Request` and `Making`."""


class Digest(Attested):
    """Of a file's bytes, or of what `Resource.annotations` names."""

    sha256: Sha256


class Resource(Attested):
    """Something that a build took or made."""

    name: Text | None = None
    uri: Text | None = None
    digest: Digest | None = None
    annotations: dict[Text, Text] | None = None


class Subject(Attested):
    """A file that a statement is about."""

    name: Text
    digest: Digest


class StageRecord(Attested):
    """A step that made files."""

    name: Text
    key: Text
    """Of what it made, in the cache: decided by inputs, options, versions and source."""
    inputs: dict[str, JsonValue]
    files: dict[Text, Sha256]

    @property
    def label(self) -> str:
        """Its name, with the variant that it was for."""
        names = self.inputs.get("names")
        named = names[-1] if isinstance(names, list) and names else None
        of = self.inputs.get("variant") or self.inputs.get("runtime") or named
        return f"{self.name} of {of}" if of else self.name


class Request(Attested):
    """What was asked for."""

    recipe: dict[str, JsonValue]
    variants: tuple[Text, ...]
    input_type: Text
    seed: Count
    calibration_faces: AtLeastOne
    sampling: Text
    latency_threads: AtLeastOne
    policy: Policy


class Making(Attested):
    """How it was made."""

    code: Sha256
    """Of all modules of the tool."""
    host: Host
    stages: tuple[StageRecord, ...]


class BuildDefinition(Attested):
    """A build's inputs."""

    build_type: Literal["urn:ghostface-edge:run:v1"] = BUILD_TYPE
    external_parameters: Request
    internal_parameters: Making
    resolved_dependencies: tuple[Resource, ...]


class Builder(Attested):
    """Who ran it."""

    id: Text = "urn:ghostface-edge"
    version: dict[Text, Text]


class BuildMetadata(Attested):
    """When it ran."""

    started_on: Text | None = None


class RunDetails(Attested):
    """The run."""

    builder: Builder
    metadata: BuildMetadata


class Provenance(Attested):
    """The predicate."""

    build_definition: BuildDefinition
    run_details: RunDetails


class ProvenanceStatement(Attested):
    """Where files come from."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT, alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1)
    predicate_type: Literal["https://slsa.dev/provenance/v1"] = PROVENANCE
    predicate: Provenance

    @classmethod
    def of(cls, files: Mapping[str, str], predicate: Provenance) -> Self:
        """Say it of files, by name their SHA-256."""
        return cls(subject=subjects(files), predicate=predicate)

    @classmethod
    def from_json(cls, text: bytes, source: str, fix: str) -> Self:
        """Read and check.

        Raises:
            InputError: it is no such statement.
        """
        parse_json(text, source, fix=fix)
        try:
            return cls.model_validate_json(text, strict=True)
        except ValidationError as error:
            raise InputError(f"{source} is no statement of provenance: {first_problem(error)}", fix=fix) from None

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.predicate.build_definition.external_parameters

    @property
    def making(self) -> Making:
        """How it was made."""
        return self.predicate.build_definition.internal_parameters

    @property
    def dependencies(self) -> tuple[Resource, ...]:
        """What the build took."""
        return self.predicate.build_definition.resolved_dependencies

    @property
    def packages(self) -> dict[str, str]:
        """Versions of the Python packages that it took, by name."""
        uris = [one.uri.removeprefix(PYPI) for one in self.dependencies if one.uri and one.uri.startswith(PYPI)]
        return dict(sorted((name, version) for name, _, version in (uri.partition("@") for uri in uris)))

    def to_json(self) -> str:
        """Write as indented JSON, in one form."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"


PYPI: Final = "pkg:pypi/"
"""How package URLs of Python packages begin."""


def subjects(files: Mapping[str, str]) -> tuple[Subject, ...]:
    """Files by name, as a statement names them."""
    return tuple(Subject(name=name, digest=Digest(sha256=sha256)) for name, sha256 in sorted(files.items()))


def policy_sha256(policy: Policy) -> str:
    """A policy's identity: SHA-256 of its values as JSON with sorted keys, whatever its file looked like."""
    return hashlib.sha256(json.dumps(policy.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
