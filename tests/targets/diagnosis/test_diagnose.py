"""Mistakes on devices, each to be named; clean devices, none of them to be accused.

`MODELS` of the environment names a folder of real artifacts to try instead of tiny ones, `CLEAN_RUNS` how often clean
devices are examined: `nox -s diagnosis`.
"""

import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.reports.devices import DeviceKind
from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.diagnosis.diagnose import Examination, OtherKernels
from ghostface_edge.targets.diagnosis.diagnosis import Verdict
from ghostface_edge.targets.diagnosis.sides import Sides
from ghostface_edge.targets.places.board_facts import PACKAGES
from ghostface_edge.targets.places.place import LOCAL, Place
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import load_target

BOARD = Path(__file__).with_name("faulty_board.py")
MODELS = os.environ.get("MODELS")
CLEAN_RUNS = int(os.environ.get("CLEAN_RUNS", "1"))
INT8 = "tflite-int8"
FAULTS = [
    (INT8, "bgr", "colour order: BGR instead of RGB"),
    (INT8, "bgr unseen", "colour order: BGR instead of RGB"),
    (INT8, "unit range", "input range: x / 255"),
    (INT8, "normalised twice", "normalised twice"),
    (INT8, "raw bytes", "input range: the bytes as they are"),
    (INT8, "other layout", "layout: NCHW bytes in an NHWC input"),
    (INT8, "zero point", r"zero point of the input off by one \(\+1\)"),
    (INT8, "mirrored", "faces are mirrored"),
    (INT8, "batch mixed up", r"batch: faces are mixed up \(rows 2 0 3 1\)"),
    (INT8, "stale batch", "batch: one face in every row"),
    (INT8, "zero input", "the input is zero there"),
    (INT8, "channels shifted", "channels are shifted by 3"),
    (INT8, "embeddings mixed up", r"batch: faces are mixed up \(rows 2 0 3 1\)"),
    (INT8, "embeddings zero", "the embedding is zero there"),
    (INT8, "one without norm", "the embedding is zero there"),
    (INT8, "embeddings constant", "the embedding is constant there"),
    (INT8, "embeddings NaN", "the embedding holds NaN"),
    (INT8, "embeddings cut off", "the embedding (has another shape|cannot be used)"),
    (INT8, "output zero point", r"zero point off by one \(\+1\)"),
    (INT8, "output scale", "scale: values are multiplied by 1.5 there"),
    (INT8, "truncated", "truncated rounding at (DEPTHWISE_)?CONV_2D"),
    (INT8, "a weight", r"a weight of CONV_2D is wrong: only channel \d+ differs"),
    (INT8, "a kernel", "(DEPTHWISE_)?CONV_2D computes something else"),
    (INT8, "file damaged", "the model there has other bytes"),
    ("onnxruntime-int8", "other layout", "layout: NHWC bytes in an NCHW input"),
    ("onnxruntime-fp32", "NaN inside", "the output of Conv holds NaN or infinity there"),
    ("openvino-int8", "empty operator", "the output of .* is empty there"),
]
MORE_FAULTS = [
    ("onnxruntime-int8", "bgr", "colour order: BGR instead of RGB"),
    ("onnxruntime-int8", "not normalised", "not normalised"),
    ("onnxruntime-fp32", "mean 128", "input range: mean 128 instead of 127.5"),
    ("openvino-int8", "fails", "the output of .* does not run there"),
]
"""Tried on real artifacts."""
CLEAN = [
    (INT8, "none", Verdict.SAME, "the same bytes"),
    (INT8, "other kernels", Verdict.ROUNDING, "other kernels run there"),
    (
        INT8,
        "other version",
        Verdict.ROUNDING,
        r"another version of the runtime \(ai-edge-litert 2.0.0 there.*other kernels",
    ),
    ("onnxruntime-int8", "none", Verdict.SAME, "the same bytes"),
    ("onnxruntime-fp32", "lower precision", Verdict.ROUNDING, "Conv computes in lower precision"),
]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """This host's workers by runtime, each started once."""
    with ExitStack() as opened:
        known = {}

        def host(runtime):
            if runtime not in known:
                log = tmp_path_factory.mktemp("host") / "log"
                known[runtime] = opened.enter_context(LOCAL.open(RuntimeWorker, runtime, log=log))
            return known[runtime]

        yield host


@pytest.fixture(scope="module")
def artifacts(hosts, write_ghost_network, tmp_path_factory):
    """Artifacts by variant."""
    folder = tmp_path_factory.mktemp("models")
    known = {}

    def artifact(variant):
        if MODELS is not None:
            extension = load_target(variant.split("-")[0]).extension
            return next(Path(MODELS).glob(f"*-{variant}{extension}"))
        if variant not in known:
            runtime, precision = variant.split("-")
            known[variant] = folder / f"{variant}{load_target(runtime).extension}"
            if precision == "int8":
                hosts(runtime).lower_quantized(write_ghost_network(quantized=True), known[variant])
            else:
                hosts(runtime).convert(write_ghost_network(quantized=False), Precision.FP32, known[variant])
        return known[variant]

    return artifact


@pytest.fixture(scope="module")
def faces(request):
    """Four of a seed."""
    if MODELS is None:
        return lambda seed: np.random.default_rng(seed).integers(0, 256, (4, 28, 28, 3), dtype=np.uint8)
    known = scan_folder(request.getfixturevalue("assets") / "lfw/calibration")
    return lambda seed: sample(known, 4, seed).load()


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    """A faulty device of each runtime and the file that names its mistake; this host's reference kernels."""
    with ExitStack() as opened:
        known = {}

        def device(runtime):
            if runtime not in known:
                folder = tmp_path_factory.mktemp("device")
                mistake = folder / "mistake"
                place = Place("faulty", (sys.executable, str(BOARD), str(mistake)))
                faulty = Device("faulty", DeviceKind.EXEC, place, str(folder / "there"))
                there = opened.enter_context(faulty.open(runtime, log=folder / "log"))
                kernels = None
                if runtime in {"tflite", "onnxruntime"}:
                    here = Device("reference", DeviceKind.LOCAL, LOCAL, str(folder / "here"))
                    log = folder / "reference.log"
                    side = opened.enter_context(here.open(runtime, log=log, reference_kernels=True))
                    kernels = OtherKernels(side, "other kernels run there")
                known[runtime] = there, mistake, kernels
            return known[runtime]

        yield device


@pytest.fixture
def examine(hosts, artifacts, faces, devices, tmp_path):
    """Diagnose a variant on a device with a mistake."""

    def examine(variant, mistake, seed):
        runtime = variant.split("-")[0]
        target, artifact = load_target(runtime), artifacts(variant)
        there, file, kernels = devices(runtime)
        file.write_text(mistake)
        there.clean()
        sides = Sides(target, hosts(runtime), there, faces(seed), tmp_path)
        packages = PACKAGES[runtime]
        told = {name: version for name, version in there.facts().versions.items() if name in packages}
        return Examination(artifact, sides, versions(packages), told, kernels).diagnose()

    return examine


@pytest.mark.parametrize(("variant", "mistake", "cause"), FAULTS + (MORE_FAULTS if MODELS else []))
def test_a_fault_is_named(examine, variant, mistake, cause):
    found = examine(variant, mistake, 0)
    assert found.verdict is Verdict.FAULT
    assert re.match(cause, found.cause)
    assert found.explained is None or found.explained > 0.9


@pytest.mark.parametrize(("variant", "mistake", "verdict", "cause"), CLEAN)
def test_a_clean_device_is_not_accused(examine, variant, mistake, verdict, cause):
    for seed in range(CLEAN_RUNS):
        found = examine(variant, mistake, seed)
        assert found.verdict is verdict
        assert re.match(cause, found.cause)


def test_a_runtime_that_is_not_there_is_no_diagnosis(examine):
    with pytest.raises(RuntimeMissingError, match="cannot be imported there"):
        examine(INT8, "no runtime", 0)
