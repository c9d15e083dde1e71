"""Provenance: tool, host, network and faces behind a report's figures."""

from pydantic import Field

from ghostface_edge.reports.record import Count, Record


class Tool(Record):
    """What made the report."""

    name: str = "ghostface-edge"
    version: str
    packages: dict[str, str] = Field(default_factory=dict)
    """Versions of the distributions that decide the figures."""
    command: str | None = None
    seed: int | None = None
    started: str | None = None
    """ISO 8601, UTC."""
    seconds: float | None = None


class Host(Record):
    """Where it was measured."""

    cpu: str
    physical_cores: int
    logical_cores: int
    memory_gb: float
    isa: tuple[str, ...] = ()
    """Instruction-set flags that decide INT8 speed (`avx512_vnni`, `amx_int8`, `asimddp`...)."""
    os: str
    machine: str
    python: str


class ModelInfo(Record):
    """The network that was deployed."""

    name: str
    architecture: str
    width: float
    stride: int
    embedding_size: int
    parameters: int
    mmacs: float
    sha256: str
    activation: str | None = None
    preprocessing: str | None = None
    """What the checkpoint was trained on: colour order, scale, offset, layout."""


class Pairs(Record):
    """The verification pairs of the main figures."""

    path: str
    sha256: str
    count: Count
    name: str = "pairs"
    same: int | None = None
    images: int | None = None
    """Distinct images."""
    protocol: str = "LFW View 2: 10 contiguous folds, threshold from the other nine; cosine, no flip"


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

    images: int
    identities: int
    identities_shared_with_pairs: Count
    sha256: str
    leak_guard: LeakGuard | None = None
    path: str | None = None


class Data(Record):
    """The faces that went in."""

    pairs: Pairs
    """The pairs of the main figures."""
    calibration: Calibration
    further_pairs: tuple[Pairs, ...] = ()
    """Other sets, whose results are in `variants[].sets` by name."""
