"""Integrations that make one mistake each, and what the self-test says of them."""

import json
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent

INPUTS = {  # of both kinds of runtimes
    "BGR": "input: colour order: BGR instead of RGB (face 0)",
    "mirrored": "input: faces are mirrored (face 0)",
    "upside down": "input: faces are upside down (face 0)",
    "transposed": "input: faces are transposed: columns as rows (face 0)",
    "shifted crop": "input: shifted crop: the face begins at column 2, row -3 (face 0)",
    "stale input": "input: stale: it is another face's (face 1)",
    "decodes BGR": "decoding: colour order: BGR instead of RGB (face 0)",
    "decodes another file": "decoding: stale: it is another face's (face 0)",
    "stale embedding": "output: stale: it is another face's embedding (face 1)",
    "wrong output scale": "output: scale: all values are multiplied by one factor (face 0)",
    "empty output": "output: it is zero or no number (face 0)",
    "output cut off": "output: the network's layers agree as far as known, its embedding does not (face 0)",
    "does not run": "network: it does not run (face 0)",
    "dot product": "score: a dot product of embeddings that were not normalised (face 1)",
    "distance": "score: it is not the cosine of the two embeddings (face 1)",
}
BYTES = {
    "other layout": "input: layout: planes (CHW) where pixels (HWC) are wanted (face 0)",
    "byte - 128": "input: zero point: byte - 128 where the byte is wanted (face 0)",
    "normalised": "input: scaling: real values, as (x - 127.5) / 128 or x / 255, where the byte is wanted (face 0)",
    "rounded up": "input: rounding: values are rounded up, one too high (face 0)",
    "rounded down": "input: rounding: values are rounded down, one too low (face 0)",
    "stale buffer": "network: stale: it was given another face (face 1)",
    "wrong output zero point": "output: zero point: all values are moved by one distance, in steps 3 (face 0)",
}
FLOATS = {
    "other layout": "input: layout: pixels (HWC) where planes (CHW) are wanted (face 0)",
    "not normalised": "input: scaling: not normalised, bytes as they are (face 0)",
    "normalised twice": "input: scaling: normalised twice (face 0)",
    "x / 255": "input: scaling: x / 255 (face 0)",
    "BGR and x / 255": "input: colour order: BGR instead of RGB; scaling: x / 255 (face 0)",
    "/ 127.5": "input: scaling: (x - 127.5) / 127.5 instead of / 128 (face 0)",
    "mean 127": "input: scaling: mean 127 instead of 127.5 (face 0)",
    "mean 128": "input: scaling: mean 128 instead of 127.5 (face 0)",
}


@pytest.fixture(scope="module")
def said_by(run_folder):
    """Exit code and lines of a self-test whose integration makes a mistake."""

    def run(program, mistake="none"):
        done = subprocess.run([program, mistake, run_folder / "runners"], capture_output=True, text=True, check=False)
        assert not done.stderr
        return done.returncode, done.stdout.splitlines()

    return run


@pytest.fixture(scope="module")
def network_in_c(build):
    return build("c-int8", HERE / "integration.c")


@pytest.fixture(scope="module")
def recorded_runtime(build):
    return build("onnxruntime-fp32", HERE / "integration.c", HERE / "recorded_runtime.c")


def test_sound_integrations_pass(said_by, network_in_c, recorded_runtime):
    for program, variant in ((network_in_c, "c-int8"), (recorded_runtime, "onnxruntime-fp32")):
        assert said_by(program) == (0, [f"{variant}: all golden faces agree, input, embeddings and scores"])


@pytest.mark.parametrize(("mistake", "said"), (INPUTS | BYTES).items())
def test_mistakes_around_a_network_in_c(said_by, network_in_c, mistake, said):
    assert said_by(network_in_c, mistake) == (1, [said])


@pytest.mark.parametrize(("mistake", "said"), (INPUTS | FLOATS).items())
def test_mistakes_around_a_runtime(said_by, recorded_runtime, mistake, said):
    assert said_by(recorded_runtime, mistake) == (1, [said])


def test_a_wrong_kernel_of_a_runtime_is_found_by_models_cut_short(said_by, recorded_runtime, run_folder):
    about = json.loads((run_folder / "runners/golden/onnxruntime-fp32/golden.json").read_text())
    code, (line,) = said_by(recorded_runtime, "wrong kernel")
    assert code == 1
    assert line.startswith(
        f"first layer that differs: {about['layers'][1]['name']}: other values in 16 of 32"
    )  # channels added for speed are zero


@pytest.mark.parametrize(("number", "layer"), [(0, "stem.activation"), (3, "mix")])
def test_a_wrong_weight_is_found_in_its_layer(build, said_by, changed_network, number, layer):
    network = changed_network(rf"(int8_t weights_{number}\[\d+\] = \{{\s+)-?\d+,", r"\g<1>101,")
    code, (line,) = said_by(build("c-int8", HERE / "integration.c", model=network))
    assert code == 1
    assert line.startswith(f"first layer that differs: {number}: {layer}: other values")


def test_rounding_up_is_told_from_wrong_values(build, said_by, changed_network):
    network = changed_network(r"rest > \(mask >> 1\) \+ \(high < 0\)", "rest > 0")
    code, (line,) = said_by(build("c-int8", HERE / "integration.c", model=network))
    assert code == 1
    assert line.startswith("first layer that differs: 0: stem")
    assert "rounded otherwise, by two steps at most" in line
    assert "are higher and 0 lower" in line


def test_without_the_hook_a_wrong_network_is_still_noticed(build, said_by, changed_network):
    network = changed_network(r"#ifdef MODEL_TRACE", "#undef MODEL_TRACE\n#ifdef MODEL_TRACE")
    text = network.read_text()
    network.write_text(text.replace("rest > (mask >> 1) + (high < 0)", "rest >= 0"))
    code, (line,) = said_by(build("c-int8", HERE / "integration.c", model=network))
    assert code == 1
    assert line.startswith("output: ")


def test_sanitizers_find_nothing(build, run_folder):
    common = run_folder / "runners/common"
    flags = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    names = ("main.c", "selftest.c", "image.c")
    program = build("c-int8", *(common / name for name in names), flags=flags, shared=("golden_faces", "golden"))
    done = subprocess.run([program, "--selftest"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
