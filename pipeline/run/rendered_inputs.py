"""What a run uses when nothing is given: the embedded network and rendered people, so that no network is needed."""

from pathlib import Path

from ghostface_edge.pipeline.support.progress import Narrator
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.targets.requirements import versions

PAIRS, CALIBRATION_FACES = 2000, 300
_PACKAGES = ("numpy", "opencv-python-headless")


def rendered_inputs(store: Store, narrator: Narrator, seed: int) -> tuple[Path, Path]:
    """A `.bin` of pairs and a folder of calibration faces of other people; neither group was trained on."""
    from ghostface_edge.pipeline.synthetic.sets import write_calibration, write_pairs

    def build(folder: Path) -> None:
        with narrator.stage(f"render {PAIRS} pairs and {CALIBRATION_FACES} calibration faces"):
            write_pairs(folder, PAIRS, seed)
            write_calibration(folder / "calibration", CALIBRATION_FACES, seed)

    inputs = {"pairs": PAIRS, "faces": CALIBRATION_FACES, "seed": seed, "versions": versions(_PACKAGES)}
    folder = store.make("render", inputs, build).folder
    return folder / "synthetic.bin", folder / "calibration"
