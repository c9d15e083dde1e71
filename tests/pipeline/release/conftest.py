"""The output folder of a small run as it would be, with files of three runtimes; nothing in it is a network."""

import hashlib
import shutil

import pytest

from ghostface_edge.pipeline.release.bundle import write_bundle
from ghostface_edge.pipeline.release.statement import PROVENANCE_FILE
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.renderings.report_files import write_report
from ghostface_edge.reports.report import Gate, Report

from .forging import statement_of

FILES = {
    "onnxruntime-fp32": {"models/net-onnxruntime-fp32.onnx": b"o" * 4000},
    "openvino-int8": {"models/net-openvino-int8.xml": b"<xml/>" * 20, "models/net-openvino-int8.bin": b"w" * 900},
    "tflite-micro-int8": {
        "models/net-tflite-micro-int8.tflite": b"t" * 1000,
        "models/net-tflite-micro-int8.cc": b"c",
        "models/net-tflite-micro-int8.h": b"h",
        "models/net-ethos-u55-128.tflite": b"n",
    },
}
"""By variant: the artifact's own files first, then what ships with it."""
LISTING = b"0" * 64 + b"  someone/1.png\n"
ARTIFACT_FILES = {"onnxruntime-fp32": 1, "openvino-int8": 2, "tflite-micro-int8": 1}
MICRO = {
    "firmware": {
        "arena_bytes": 300_000,
        "operators": {"CONV_2D": 54},
        "files": ["models/net-tflite-micro-int8.cc", "models/net-tflite-micro-int8.h"],
    },
    "estimates": [
        {
            "accelerator": "ethos-u55-128",
            "tool": "Vela 5.2.0",
            "inference_ms": 6.4,
            "sram_kib": 271.2,
            "flash_kib": 717.4,
            "macs_per_cycle": 17.25,
            "npu_operators": 212,
            "cpu_operators": 0,
            "output_in_input": False,
            "path": "models/net-ethos-u55-128.tflite",
        }
    ],
}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def record(label):
    """A variant that lost nothing."""
    files = {**FILES[label], f"{next(iter(FILES[label]))}.json": f'{{"model": "{label}"}}'.encode()}
    own = list(FILES[label].values())[: ARTIFACT_FILES[label]]
    runtime, _, precision = label.rpartition("-")
    is_float = precision == "fp32"
    return {
        "id": label,
        "runtime": runtime,
        "precision": precision,
        "method": "convert" if is_float else "ours",
        "status": "ok",
        "artifact": {
            "path": next(iter(files)),
            "bytes": sum(map(len, own)),
            "sha256": sha256(b"".join(own)),
            "fp32_bytes": 4000,
        },
        "files": {name: sha256(data) for name, data in files.items()},
        "accuracy": {
            "mean": 0.95,
            "standard_error": 0.0,
            "folds": [0.95] * 10,
            "auc": 0.99,
            "eer": 0.05,
            "threshold": 0.3,
            "tar_at_far": {"0.01": 0.9, "0.001": None},
        },
        "versus_reference": {
            "reference": "checkpoint in FP32",
            "drop_pp": 0.0,
            "ci95_pp": [-0.2, 0.2],
            "p_value": 1.0,
            "flipped_pairs": 0,
            "cosine_mean": 1.0 if is_float else 0.99,
            "cosine_p01": 1.0 if is_float else 0.98,
            "cosine_min": 1.0 if is_float else 0.97,
            "lost_pairs": 0,
            "tar_drop_pp": {"0.01": {"drop_pp": 0.0, "ci95_pp": [-0.5, 0.5]}, "0.001": None},
            "pairs": 2000,
        },
        "latency": {
            "threads": 1,
            "runs": 200,
            "p50_ms": 1.0 if is_float else 0.5,
            "p90_ms": 1.1,
            "p99_ms": 1.2,
            "load_ms": 20.0,
            "peak_rss_mb": 90.0,
            "versus_fp32": 1.0 if is_float else 0.5,
            "versus_fp32_ci95": [1.0, 1.0] if is_float else [0.45, 0.55],
        },
        **(MICRO if label == "tflite-micro-int8" else {}),
    }


@pytest.fixture(scope="session")
def small_report():
    """Three variants, judged by the default policy."""
    report = Report.model_validate(
        {
            "tool": {"version": "0.1.0", "started": "2026-11-02T10:00:00+00:00"},
            "host": {
                "cpu": "a CPU",
                "physical_cores": 2,
                "logical_cores": 2,
                "memory_gb": 8.0,
                "os": "Linux",
                "machine": "x86_64",
                "python": "3.11",
            },
            "model": {
                "name": "net",
                "architecture": "GhostFaceNetV1",
                "width": 0.5,
                "stride": 2,
                "embedding_size": 512,
                "parameters": 1_000,
                "mmacs": 10.7,
                "sha256": "b" * 64,
            },
            "data": {
                "pairs": {"path": "lfw.bin", "sha256": "c" * 64, "count": 2000, "name": "lfw"},
                "calibration": {
                    "images": 300,
                    "identities": 290,
                    "identities_shared_with_pairs": 0,
                    "sha256": sha256(LISTING),
                },
            },
            "variants": [record(label) for label in FILES],
            "gate": Gate(verdict="inconclusive", checks=()),
        }
    )
    return judge_report(report)


@pytest.fixture(scope="session")
def finished(small_report, tmp_path_factory):
    """The output folder that such a run leaves, and its bundle; for reading only."""
    out = tmp_path_factory.mktemp("run") / "out"
    write_report(small_report, None, out)
    (out / PROVENANCE_FILE).write_text(statement_of(small_report).to_json())
    (out / "models").mkdir()
    for label, files in FILES.items():
        for name, data in files.items():
            (out / name).write_bytes(data)
        (out / f"{next(iter(files))}.json").write_text(f'{{"model": "{label}"}}')
    (out / "models/calibration.sha256").write_bytes(LISTING)
    write_bundle(out, out.with_name("release.zip"))
    return out, out.with_name("release.zip")


@pytest.fixture
def run_dir(finished, tmp_path):
    """The folder to change."""
    return shutil.copytree(finished[0], tmp_path / "out")


@pytest.fixture
def bundle(finished, tmp_path):
    """The bundle to change."""
    return shutil.copyfile(finished[1], tmp_path / "release.zip")
