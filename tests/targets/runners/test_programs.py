"""The programs of a run, built and run as their users do."""

import importlib.util
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from ghostface_edge.pipeline.stages.golden import golden_faces
from ghostface_edge.reports.metrics import cosines
from ghostface_edge.targets.diagnosis.difference import FLOAT_TOLERANCE
from ghostface_edge.targets.runners.golden import tolerance
from ghostface_edge.targets.runners.golden_text import checksum
from ghostface_edge.targets.table import load_target, parse_variants

from .conftest import VARIANTS

RUN_BY_PYTHON = [variant for variant in VARIANTS if variant != "c-int8"]


def call(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def python(capsys):
    """Exit code and lines of a folder's program, in this process: starting Python takes longer than all it does."""

    def run(folder, *arguments):
        path = folder / "runners/python/ghostface.py"
        spec = importlib.util.spec_from_file_location("ghostface", path)
        program = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(program)
        try:
            code = program.main([str(each) for each in arguments])
        except SystemExit:
            code = 2
        return code, capsys.readouterr().out.splitlines()

    return run


@pytest.fixture(scope="module")
def c_program(build, run_folder):
    return build("c-int8", run_folder / "runners/common/main.c")


@pytest.fixture(scope="module")
def embeddings(run_folder):
    """What the pipeline's own embedders give for the golden faces, by variant."""
    found = {}
    for variant in parse_variants(VARIANTS):
        target = load_target(variant.runtime)
        embedder = target.load(run_folder / f"models/tiny-{variant}{target.extension}", 1, 1)
        found[str(variant)] = np.concatenate(
            [embedder.run(embedder.prepare(golden_faces()[at : at + 1])) for at in range(8)]
        )
    return found


def test_the_c_program_agrees_with_the_pipeline(c_program, run_folder, embeddings):
    faces = run_folder / "runners/golden"
    code, lines = call(c_program, faces / "face-3.ppm")
    assert code == 0
    assert np.array_equal(np.array(lines, np.float32), embeddings["c-int8"][3])
    code, (line,) = call(c_program, faces / "face-0.ppm", faces / "face-2.ppm")
    due = cosines(*embeddings["c-int8"][[0, 2]][:, None])[0]
    assert code == 0
    assert float(line.split()[0]) == pytest.approx(due, abs=1e-6)
    assert line.endswith(f"{'same person' if due >= 0.5 else 'different people'} (threshold 0.5 at FMR 0.001)")
    assert call(c_program, "--selftest") == (0, ["c-int8: all golden faces agree, input, embeddings and scores"])


@pytest.mark.parametrize("variant", RUN_BY_PYTHON)
def test_the_python_program_agrees_with_the_pipeline(python, run_folder, embeddings, variant):
    faces = run_folder / "runners/golden"
    code, lines = python(run_folder, variant, faces / "face-3.ppm")
    assert code == 0
    assert np.array_equal(np.array(lines, np.float32), embeddings[variant][3])
    code, lines = python(run_folder, variant, "--selftest")
    assert (code, lines) == (0, [f"{variant}: all golden faces agree, input, embeddings and scores"])


def test_the_python_program_runs_by_itself(run_folder):
    program = run_folder / "runners/python/ghostface.py"
    assert call(sys.executable, "-I", program, "tflite-int8", "--selftest")[0] == 0
    assert call(sys.executable, "-I", program, "c-int8", "--selftest")[0] == 1


def test_bare_bytes_are_a_face_too_and_other_sizes_are_none(c_program, python, run_folder, tmp_path):
    faces = run_folder / "runners/golden"
    ppm = (faces / "face-0.ppm").read_bytes()
    (tmp_path / "face.rgb").write_bytes(ppm[-112 * 112 * 3 :])
    (tmp_path / "commented.ppm").write_bytes(ppm.replace(b"P6\n", b"P6 # a face\n#\n"))
    for name in ("face.rgb", "commented.ppm"):
        assert call(c_program, tmp_path / name) == call(c_program, faces / "face-0.ppm")
    assert python(run_folder, "tflite-int8", tmp_path / "face.rgb", tmp_path / "commented.ppm")[1][0].startswith("1.00")
    for name, content in {
        "short": ppm[:-1],
        "long": ppm + b"0",
        "small": ppm.replace(b"112 112", b"111 112"),
        "": b"",
    }.items():
        (tmp_path / f"{name}.ppm").write_bytes(content)
        assert call(c_program, tmp_path / f"{name}.ppm") == (2, [])
    assert python(run_folder, "tflite-int8", tmp_path / "small.ppm") == (2, [])
    assert call(c_program, tmp_path / "missing.ppm") == (2, [])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("face[None].astype(np.float32)", "face[None, :, :, ::-1].astype(np.float32)", "input: colour order: BGR"),
        ("/ np.float32(128)", "/ np.float32(255)", "input: "),
        (
            "steps.clip(-128, 127)",
            "(steps + 1).clip(-128, 127)",
            "input: rounding: values are rounded up, one too high",
        ),
        ("np.frombuffer(pixels, np.uint8)", "np.frombuffer(pixels[::-1], np.uint8)", "decoding: "),
        ("output.astype(np.float32) - zero_point", "output.astype(np.float32) - zero_point + 3", "output: zero point"),
        ("return float(one @ other /", "return float(1 - one @ other /", "score: "),
    ],
)
def test_the_python_program_finds_its_own_mistakes(python, run_folder, tmp_path, old, new, said):
    shutil.copytree(run_folder / "runners", tmp_path / "runners")
    shutil.copytree(run_folder / "models", tmp_path / "models")
    program = tmp_path / "runners/python/ghostface.py"
    text = program.read_text()
    assert old in text
    program.write_text(text.replace(old, new, 1))
    code, (line,) = python(tmp_path, "tflite-int8", "--selftest")
    assert code == 1
    assert line.startswith(said)


def test_a_model_with_other_weights_is_noticed_by_python(python, run_folder, tmp_path):
    shutil.copytree(run_folder / "runners", tmp_path / "runners")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/tiny-onnxruntime-fp32.onnx").write_bytes(
        (run_folder / "models/tiny-onnxruntime-int8.onnx").read_bytes()
    )
    code, (line,) = python(tmp_path, "onnxruntime-fp32", "--selftest")
    assert code == 1
    assert line.startswith("output: ")


def test_the_layers_of_c_are_tflites_reference_kernels(run_folder):
    """The C tells of itself; another implementation of the same arithmetic says the same."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        str(run_folder / "models/tiny-c-int8.tflite"),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    source = (run_folder / "runners/golden/c-int8/golden.c").read_text()
    for face in golden_faces()[:2]:
        interpreter.set_tensor(entry, (face[None].astype(np.int16) - 128).astype(np.int8))
        interpreter.invoke()
        tensors = {each["name"]: each["index"] for each in interpreter.get_tensor_details()}
        for name in ("stem.activation", "cheap", "mix", "pool", "embed"):
            assert f"{checksum(interpreter.get_tensor(tensors[name]))}u" in source


def test_how_exact_an_installation_has_to_be():
    exact, real, rounded = (tolerance(*parse_variants([name])) for name in ("c-int8", "tflite-fp32", "openvino-int8"))
    assert exact == tolerance(*parse_variants(["tflite-int8"])) == 0
    assert real == FLOAT_TOLERANCE
    assert rounded == 0.5


def test_every_file_is_described_for_machines(run_folder):
    runners = run_folder / "runners"
    for variant in VARIANTS:
        about = json.loads((runners / f"golden/{variant}/golden.json").read_text())
        assert (runners / about["model"]).is_file()
        assert (runners / about["inputs"]).is_file()
        assert about["threshold"] == {"kind": "FMR", "rate": "0.001", "value": 0.5}
        assert "#define THRESHOLD_FMR_1E_3 0.5f" in (runners / f"golden/{variant}/thresholds.h").read_text()
        assert about["layers"]
        assert all((runners / layer["file"]).is_file() == (variant != "c-int8") for layer in about["layers"])
