import functools
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ghostface_edge.pipeline.stages.golden import golden_faces
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.runners.recording import GoldenRecorder, read_golden
from ghostface_edge.targets.runners.thresholds import Threshold, Thresholds
from ghostface_edge.targets.runners.write import Run, write_runners
from ghostface_edge.targets.table import load_target, parse_variants

from ..conftest import GraphWriter

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-Wconversion")
THRESHOLD = Threshold("FMR", "0.001", 0.5)
SHARED = ("selftest", "image", "golden_faces", "golden")
VARIANTS = ("c-int8", "tflite-int8", "onnxruntime-fp32", "onnxruntime-int8")


@pytest.fixture(scope="session")
def sources():
    """The runners' folder of sources."""
    return Path(str(files("ghostface_edge.targets.runners"))) / "sources"


@pytest.fixture(scope="session")
def compile_c():
    """The system's compiler; warnings are errors."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: install gcc")

    def run(out, *arguments):
        subprocess.run([compiler, *STRICT, "-o", out, *arguments], check=True)
        return out

    return run


def write_network(path, *, quantized):
    """Stem, ghost module, head: faces (N, 3, 112, 112) to embeddings (N, 24)."""
    w, wide = GraphWriter(quantized=quantized), (-3.0, 3.0)
    step = float(w.grid(*wide)[0]) if quantized else None
    source = "faces"
    if quantized:
        w.node("Add", ["faces", w.constant("pixel_shift", np.float32(-0.5 / 128))], "faces.shifted")
        source = w.quantize("faces", -1.0, -1.0 + 255 / 128, "faces.shifted")
    x = w.convolution("stem", source, (8, 3, 3, 3), wide, stride=4, pad=1, scale_in=1 / 128)
    x = w.prelu("stem.activation", x, np.linspace(-0.5, 1.0, 8), wide)
    y = w.convolution("cheap", x, (8, 1, 3, 3), wide, groups=8, pad=1, scale_in=step)
    w.node("Concat", [x, y], "ghost", axis=1)
    z = w.quantize("ghost", *wide)
    z = w.convolution("mix", z, (12, 16, 1, 1), wide, scale_in=step)
    z = w.convolution("pool", z, (12, 1, 28, 28), wide, groups=12, scale_in=step)
    z = w.convolution("embed", z, (24, 12, 1, 1), (-4.0, 3.0), scale_in=step)
    w.node("Flatten", [z], "embeddings", axis=1)
    graph = helper.make_graph(
        w.nodes,
        "tiny",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["batch", 3, 112, 112])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", "size"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in w.constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"preprocessing": "RGB"})
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory, compile_c):
    """A run of a tiny network: `models/tiny-<variant>.<ext>`, and `runners/`."""
    out = tmp_path_factory.mktemp("run")
    (out / "models").mkdir()
    qdq = write_network(out / "qdq.onnx", quantized=True)
    float_model = write_network(out / "float.onnx", quantized=False)
    runs = []
    for variant in parse_variants(VARIANTS):
        target = load_target(variant.runtime)
        model = out / f"models/tiny-{variant}{target.extension}"
        if variant.precision is Precision.INT8:
            target.lower_quantized(qdq, model)
        else:
            target.convert(float_model, variant.precision, model)
        folder = tmp_path_factory.mktemp(str(variant))
        recorded = GoldenRecorder(variant.runtime).record(model, golden_faces(), folder)
        runs.append(Run(variant, model, read_golden(folder, recorded), Thresholds((THRESHOLD,), THRESHOLD)))
    write_runners(out / "runners", golden_faces(), runs)
    return out


@pytest.fixture(scope="session")
def shared_objects(run_folder, compile_c, tmp_path_factory):
    """What all programs for a variant are linked with, compiled once."""

    @functools.cache
    def compiled(variant):
        runners, folder = run_folder / "runners", tmp_path_factory.mktemp("objects")
        common, golden = runners / "common", runners / "golden"
        parts = [common / "selftest.c", common / "image.c", golden / "golden_faces.c", golden / variant / "golden.c"]
        return {part.stem: compile_c(folder / f"{part.stem}.o", "-c", f"-I{common}", part) for part in parts}

    return compiled


@pytest.fixture(scope="session")
def build(run_folder, compile_c, shared_objects, tmp_path_factory):
    """Compile C files for one variant; `model` replaces the network in C."""

    def run(variant, *programs, model=None, flags=(), shared=SHARED):
        runners = run_folder / "runners"
        options = [f"-I{runners / 'common'}", f"-I{runners / 'golden' / variant}", f'-DRUNNERS_FOLDER="{runners}"']
        parts = [*(shared_objects(variant)[name] for name in shared), *programs]
        if variant == "c-int8":
            network = run_folder / "models/tiny-c-int8.c"
            parts += [runners / "c/runtime.c", model or network]
            options += ["-DMODEL_TRACE=selftest_trace", f'-DMODEL_HEADER="{network.with_suffix(".h")}"']
        out = tmp_path_factory.mktemp("program") / "ghostface"
        return compile_c(out, *options, *flags, *parts, "-lm")

    return run


@pytest.fixture(scope="session")
def changed_network(run_folder, tmp_path_factory):
    """The network in C with one text replaced by another."""

    def change(pattern, new):
        text = (run_folder / "models/tiny-c-int8.c").read_text()
        changed, count = re.subn(pattern, new, text)
        assert count
        path = tmp_path_factory.mktemp("changed") / "network.c"
        path.write_text(changed)
        return path

    return change
