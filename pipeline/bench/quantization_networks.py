"""Prints what `balanced` costs networks whose weights nobody trained: the table of the decision record.

    python -m ghostface_edge.pipeline.bench.quantization_networks CALIBRATION_FOLDER [NAME ...]

NAME is a network of the family and where its weights come from, such as V1-1.3-2:bench; all of them without one.
`torch` is PyTorch's initialisation as it is, `faces` the same with BatchNorm statistics of faces, `bench` the seeded
weights of the speed bench. Minutes each for a stem of stride 2, four times that for stride 1.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import torch

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.pipeline.bench.models import seeded
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.canonical import Canonicalize
from ghostface_edge.pipeline.graph.emit import emit
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.checkpoint import network_of
from ghostface_edge.pipeline.network.ghostfacenet import GhostFaceNet
from ghostface_edge.pipeline.network.preprocessing import Preprocessing
from ghostface_edge.pipeline.prepare.prepare import prepare
from ghostface_edge.pipeline.quantize.correct import correct_biases, round_parameters
from ghostface_edge.pipeline.quantize.options import RangeMethod
from ghostface_edge.pipeline.quantize.ranges import activation_params, find_ranges
from ghostface_edge.pipeline.simulation.determinism import deterministic
from ghostface_edge.pipeline.simulation.placement import place_quantizers
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.qdq_writing import write_qdq
from ghostface_edge.pipeline.simulation.reading import load_program
from ghostface_edge.pipeline.simulation.simulate import as_input, cosines, embed, rounding, simulate
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Embeddings, Faces
from ghostface_edge.targets.table import load_target

_FACES, _HELD_OUT = 40, 32
_HALF_GREY = 0.5 / 128
_RUNTIMES = ("onnxruntime", "openvino", "tflite")


def main(arguments: list[str]) -> int:
    """Print one row per network."""
    folder, *names = arguments
    faces = sample(scan_folder(Path(folder)), _FACES + _HELD_OUT, 0).load()
    columns = ["network", "simulated", "activations alone", "weights alone", "half a grey level of noise", *_RUNTIMES]
    sys.stdout.write(f"| {' | '.join(columns)} |\n{'| --- ' * len(columns)}|\n")
    for name in names or [f"V{version}-1.3-{stride}:{source}" for version, stride, source in _all()]:
        with tempfile.TemporaryDirectory() as scratch:
            sys.stdout.write(_row(name, faces, Path(scratch)))
        sys.stdout.flush()
    return 0


def _all() -> list[tuple[int, int, str]]:
    return [(version, stride, source) for version in (1, 2) for stride in (2, 1) for source in _SOURCES]


def _as_initialised(architecture: Architecture, _faces: Faces) -> GhostFaceNet:
    torch.manual_seed(0)
    return GhostFaceNet(architecture).eval()


def _with_statistics(architecture: Architecture, faces: Faces) -> GhostFaceNet:
    network = _as_initialised(architecture, faces)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train()(as_input(faces))
    return network.eval()


def _of_the_bench(architecture: Architecture, _faces: Faces) -> GhostFaceNet:
    return network_of(seeded(architecture))


_SOURCES: Mapping[str, Callable[[Architecture, Faces], GhostFaceNet]] = MappingProxyType(
    {"torch": _as_initialised, "bench": _of_the_bench, "faces": _with_statistics}
)


def _row(name: str, faces: Faces, scratch: Path) -> str:
    kind, source = name.split(":")
    version, width, stride = kind.removeprefix("V").split("-")
    architecture = Architecture(width=float(width), stride=int(stride), version=int(version))
    calibration, held_out = faces[:_FACES], faces[_FACES:]
    model = emit(_SOURCES[source](architecture, calibration), Preprocessing())
    Canonicalize()(model)
    graph_model.save(model, scratch / "model.onnx")
    prepare(scratch / "model.onnx", calibration, scratch / "prepared.onnx", seed=0, progress=lambda _name, _share: None)
    program = load_program(scratch / "prepared.onnx")
    with deterministic(threads=2):
        measured = _measure(program, calibration, held_out, scratch)
    return f"| {kind}, {source} | " + " | ".join(f"{cosine:.4f}" for cosine in measured) + " |\n"


def _measure(program: Program, calibration: Faces, held_out: Faces, scratch: Path) -> list[float]:
    """Mean cosines to float: all rounded, activations alone, weights alone, pixels disturbed, then every runtime's."""
    placement, reference = place_quantizers(program), embed(program, held_out)
    method = RangeMethod.SENSITIVITY
    ranges = find_ranges(
        program, placement, calibration, method, percentile=100.0, seed=0, progress=lambda _share: None
    )
    rounded = round_parameters(program, activation_params(placement, ranges))
    whole = correct_biases(program, rounded.activations, calibration, lambda _share: None)
    real = {name: value for name, value in program.parameters.items() if not name.endswith(".bias")}
    integer = {name: rounded.program.parameters[name] for name in real}
    shifted = replace(program, parameters=rounded.program.parameters | real)
    generator = torch.Generator().manual_seed(0)

    def disturb(name: str, value: torch.Tensor) -> torch.Tensor:
        if name != program.input:
            return value
        return value + (2 * torch.rand(value.shape, generator=generator) - 1) * _HALF_GREY

    write_qdq(whole, scratch / "model.qdq.onnx", image_size=held_out.shape[1])
    results = [
        simulate(whole, held_out),
        embed(shifted, held_out, rounding(rounded)),
        embed(replace(program, parameters=program.parameters | integer), held_out),
        embed(program, held_out, disturb),
        *(_run(runtime, scratch / "model.qdq.onnx", held_out) for runtime in _RUNTIMES),
    ]
    return [float(cosines(embeddings, reference).mean()) for embeddings in results]


def _run(runtime: str, qdq: Path, faces: Faces) -> Embeddings:
    artifact = qdq.with_name(f"{runtime}{load_target(runtime).extension}")
    with LOCAL.open(RuntimeWorker, runtime, log=qdq.with_name("log")) as worker:
        worker.lower_quantized(qdq, artifact)
        worker.load(artifact, 1, 8)
        return worker.embed(faces)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
