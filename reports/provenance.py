"""Provenance: tool, host, network and faces behind a report's figures."""

from datetime import UTC, date, datetime

from pydantic import Field, field_validator

from ghostface_edge.reports.groups import PeopleFile
from ghostface_edge.reports.record import AtLeastOne, Count, NotNegative, Positive, Record, Sha256, Text


class Tool(Record):
    """What made the report."""

    name: Text = "ghostface-edge"
    version: Text
    packages: dict[Text, Text] = Field(default_factory=dict)
    """Versions of the distributions that decide the figures."""
    command: str | None = None
    seed: Count | None = None
    started: str | None = None
    """ISO 8601, UTC."""
    seconds: NotNegative | None = None

    @field_validator("started")
    @classmethod
    def _is_a_moment(cls, value: str | None) -> str | None:
        if value is not None and datetime.fromisoformat(value).tzinfo is None:
            raise ValueError("a moment without its offset from UTC")
        return value

    @property
    def day(self) -> date | None:
        """Day in UTC on which the run started, where that is known."""
        return None if self.started is None else datetime.fromisoformat(self.started).astimezone(UTC).date()


class Host(Record):
    """Where it was measured."""

    cpu: Text
    physical_cores: Count
    logical_cores: Count
    memory_gb: NotNegative
    isa: tuple[str, ...] = ()
    """Instruction-set flags that decide INT8 speed (`avx512_vnni`, `amx_int8`, `asimddp`...)."""
    os: Text
    machine: Text
    python: Text


class ModelInfo(Record):
    """The network that was deployed."""

    name: Text
    architecture: Text
    width: Positive
    stride: AtLeastOne
    embedding_size: AtLeastOne
    parameters: AtLeastOne
    mmacs: Positive
    sha256: Sha256
    activation: str | None = None
    preprocessing: str | None = None
    """What the checkpoint was trained on: colour order, scale, offset, layout."""


class Pairs(Record):
    """The verification pairs of the main figures."""

    path: Text
    sha256: Sha256
    count: Count
    name: Text = "pairs"
    same: Count | None = None
    images: Count | None = None
    """Distinct images."""
    protocol: Text = "LFW View 2: 10 contiguous folds, threshold from the other nine; cosine, no flip"


class Gallery(Record):
    """A folder of people's faces that were compared all against all, instead of the images of the main pairs."""

    path: Text
    sha256: Sha256
    name: Text
    images: Count
    people: Count


class LeakGuard(Record):
    """Whether people of the calibration faces are in the pairs too."""

    checked: tuple[str, ...]
    """How it was looked for: by name, by file, by perceptual hash, by embedding."""
    found: tuple[str, ...] = ()
    """What was found, a line each."""
    allowed: tuple[str, ...] = ()
    """People whom the user allowed by name to be in both."""
    excluded: tuple[str, ...] = ()
    """People of the calibration faces who were left out for what was found."""
    stranger_bound: float | None = None
    """Cosine from which faces counted as near-duplicates; None where embeddings were not compared."""


class Calibration(Record):
    """The faces that ranges were found on."""

    images: Count
    identities: Count
    identities_shared_with_pairs: Count
    sha256: Sha256
    leak_guard: LeakGuard | None = None
    path: str | None = None


class Data(Record):
    """The faces that went in."""

    pairs: Pairs
    """The pairs of the main figures."""
    calibration: Calibration
    further_pairs: tuple[Pairs, ...] = ()
    """Other sets, whose results are in `variants[].sets` by name."""
    groups: PeopleFile | None = None
    """Who told which groups people belong to."""

    gallery: Gallery | None = None

    @property
    def first_set(self) -> str:
        """Name of the set that thresholds are chosen on: what is compared all against all, else the main pairs."""
        return self.pairs.name if self.gallery is None else self.gallery.name

    @property
    def other_sets(self) -> tuple[Pairs, ...]:
        """Sets that those thresholds are tried on."""
        return self.further_pairs if self.gallery is None else (self.pairs, *self.further_pairs)
