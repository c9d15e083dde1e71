"""Small inputs whose cells take seconds: seeded networks, rendered people, recipes that observe a few faces."""

from collections.abc import Sequence
from pathlib import Path

from ghostface_edge.pipeline.bench.models import seeded
from ghostface_edge.pipeline.checkpoints.weights_file import write_safetensors
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.synthetic.sets import write_calibration, write_pairs

TARGETS = ("tflite-fp32", "onnxruntime-int8", "tflite-int8", "openvino-int8")


def write_inputs(folder: Path, checkpoints: int = 2, recipes: int = 3) -> None:
    """Write networks, recipes, a set of pairs and calibration faces."""
    for number in range(checkpoints):
        network = Architecture(width=0.2, stride=2, embedding_size=32 * (number + 1))
        write_safetensors(seeded(network), folder / f"net{number}.safetensors")
    for number in range(recipes):
        (folder / f"short{number}.yaml").write_text(
            f"name: short{number}\nranges: {{method: min-max, faces: {8 + number}}}\n"
            "correction: {biases: false}\nsensitivity_faces: 0\n"
        )
    write_pairs(folder, 40, seed=0).rename(folder / "pairs.bin")
    write_calibration(folder / "calibration", 24, seed=0)


def write_plan(
    path: Path,
    *,
    checkpoints: int = 2,
    recipes: int = 3,
    targets: Sequence[str] = TARGETS,
    seeds: int = 1,
) -> Path:
    """A plan over them."""
    path.write_text(
        f"checkpoints: [{', '.join(f'net{number}.safetensors' for number in range(checkpoints))}]\n"
        f"recipes: [{', '.join(f'short{number}.yaml' for number in range(recipes))}]\n"
        f"targets: [{', '.join(targets)}]\n"
        f"seeds: [{', '.join(map(str, range(seeds)))}]\n"
        "pairs: [pairs.bin]\ncalibration: calibration\n"
    )
    return path
