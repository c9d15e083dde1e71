"""Evidence beyond the headline figures, as a report holds it."""

from ghostface_edge.reports.record import Cosine, Count, Fraction, Record


class OperatingPoint(Record):
    """A threshold and what it does to one model."""

    threshold: float
    far: Fraction
    """Impostor pairs accepted."""
    frr: Fraction
    """Genuine pairs rejected."""


class ThresholdTransfer(Record):
    """What happens to a deployed threshold when the model behind it changes."""

    reference: OperatingPoint
    """The reference's own threshold at the FAR asked for, on the reference."""
    frozen: OperatingPoint
    """That threshold left as it is, on the variant."""
    retuned: OperatingPoint
    """The variant's own threshold at the FAR asked for."""


class Flip(Record):
    """A pair that only one of the two models decides rightly."""

    pair: Count
    """Position in the pairs, from 0."""
    fold: Count
    """From 0."""
    same: bool
    """What is true of the pair."""
    lost: bool
    """Whether the variant is the one that is wrong."""
    reference_score: float
    variant_score: float
    reference_threshold: float
    variant_threshold: float
    margin: float
    """Distance of the variant's score from its threshold."""
    images: tuple[Count, Count]
    """Which of the distinct images are compared."""
    names: tuple[str, str] | None = None


class PersonChange(Record):
    """What changed for one person's pairs."""

    name: str
    pairs: Count
    lost: Count
    gained: Count


class Sensitivity(Record):
    """What quantizing one tensor or layer alone costs."""

    name: str
    cosine: Cosine
    sqnr_db: float | None = None


class ProfileRow(Record):
    """Time of one kind of operator in one inference."""

    kind: str
    calls: Count
    ms: float


class CrossPrecision(Record):
    """Gallery enrolled by one variant (rows), probes by another (columns), on the main pairs."""

    variants: tuple[str, ...]
    far: str | None
    """FAR of `tar`, None where none can be measured."""
    accuracy: tuple[tuple[Fraction, ...], ...]
    tar: tuple[tuple[Fraction | None, ...], ...]
    cosine: tuple[tuple[Cosine, ...], ...]
    """Mean over the images, of one variant's embedding to the other's."""
    loss_pp: tuple[tuple[float, ...], ...]
    """Accuracy lost against a gallery enrolled again by the probes' variant."""
    reenroll: tuple[tuple[bool, ...], ...]
    """Whether that loss is more than chance and more than `reports.matrix.TOLERATED_PP`."""
