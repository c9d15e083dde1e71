"""What a user asks for, and what the job is made of."""

from dataclasses import dataclass, fields
from pathlib import Path

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.gallery_folder import GalleryFolder
from ghostface_edge.calibration.leaks import OnLeak
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.calibration.people_file import People
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.table import VariantId


@dataclass(frozen=True, slots=True)
class NamedFaces:
    """The faces of a job by name, and which of them are used; fields as of `Job`."""

    pairs: tuple[PairsSource, ...]
    calibration: Path | None
    gallery: Path | None
    on_bad_image: OnBadImage
    groups: Path | None
    seed: int
    calibration_faces: int
    sampling: SamplingMethod


@dataclass(frozen=True, slots=True)
class Job:
    """What a user asks for."""

    checkpoint: Path
    pairs: tuple[PairsSource, ...]
    """The first decides the main figures; none, as no calibration faces: people are rendered."""
    calibration: Path | None
    variants: tuple[VariantId, ...]
    out: Path
    recipe: Recipe
    policy: Policy
    baseline: Report | None = None
    gallery: Path | None = None
    """Folder of people's faces that are compared all against all, instead of the images of the first pairs."""
    on_bad_image: OnBadImage = OnBadImage.ERROR
    """What becomes of faces of the gallery that cannot be used."""
    on_leak: OnLeak = OnLeak.EXCLUDE
    """What becomes of calibration identities that are in the pairs."""
    allowed_leaks: tuple[str, ...] = ()
    """Those that may be."""
    nobody_shared: bool = False
    """Whether calibration faces and pairs share nobody by construction, as rendered people do; two of them that look
    alike to the network are no leak then."""
    input_type: InputType = InputType.INT8
    """What INT8 artifacts take where the runtime has a choice."""
    seed: int = 0
    calibration_faces: int = 2000
    sampling: SamplingMethod = SamplingMethod.PER_IDENTITY
    latency_threads: int = 1
    cores: int = 1
    """For embedding and alignment."""
    groups: Path | None = None
    """CSV of attributes of the main set's people."""
    devices: tuple[Device, ...] = ()
    """Where variants run beside this host."""
    device_faces: int | None = None
    """How many faces of the main set run there; all if None."""
    command: str | None = None
    """As the user gave it, for the report."""
    history: Path | None = None
    """Folder that the run is kept in, failed or not."""
    release: str | None = None
    """What the run is called there."""
    beside_other_work: bool = False
    """Whether this tool does other work on this machine meanwhile, which reports of times have to say."""

    @property
    def faces(self) -> NamedFaces:
        """Those that it names."""
        return NamedFaces(**{field.name: getattr(self, field.name) for field in fields(NamedFaces)})


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a job reads beside the checkpoint."""

    sets: tuple[VerificationSet, ...]
    """The first is the one of the main figures."""
    calibration: CalibrationSet
    gallery: GalleryFolder | None = None
    people: People | None = None
    """Attributes of the people who are compared all against all, where the job names them."""

    @property
    def first(self) -> "VerificationSet | GalleryFolder":
        """What is compared all against all, and thresholds are chosen on."""
        return self.sets[0] if self.gallery is None else self.gallery

    @property
    def judged_on(self) -> "tuple[VerificationSet | GalleryFolder, ...]":
        """All that nobody of the calibration faces may be in."""
        return self.sets if self.gallery is None else (*self.sets, self.gallery)


@dataclass(frozen=True, slots=True)
class GateInputs:
    """By what a release is judged."""

    policy: Policy
    baseline: Report | None
    allowed_leaks: tuple[str, ...]
