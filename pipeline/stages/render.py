"""Rendered people, for a run that is given nothing: no network is needed to get faces."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.targets.requirements import versions

PAIRS, CALIBRATION_FACES = 2000, 300


@dataclass(frozen=True, slots=True)
class RenderFaces:
    """The stage: a `.bin` of pairs and a folder of calibration faces of other people; nobody of them was trained on."""

    name: ClassVar[str] = "render"
    seed: int

    def inputs(self) -> dict[str, object]:
        packages = ("numpy", "opencv-python-headless")
        return {"pairs": PAIRS, "faces": CALIBRATION_FACES, "seed": self.seed, "versions": versions(packages)}

    def build(self, folder: Path, context: StageContext) -> None:
        from ghostface_edge.pipeline.synthetic.sets import write_calibration, write_pairs

        with context.progress.stage(f"render {PAIRS} pairs and {CALIBRATION_FACES} calibration faces"):
            write_pairs(folder, PAIRS, self.seed)
            write_calibration(folder / "calibration", CALIBRATION_FACES, self.seed)

    def read(self, folder: Path) -> tuple[Path, Path]:
        return folder / "synthetic.bin", folder / "calibration"
