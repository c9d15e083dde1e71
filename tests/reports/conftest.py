"""One small comparison, measured for real: a made-up net's embeddings and a noisy copy of them."""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostface_edge.reports import latency, metrics, paired
from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.groups import judge_groups
from ghostface_edge.reports.all_pairs.other_sets import OtherSet, keep_thresholds
from ghostface_edge.reports.all_pairs.review import review
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.assess import PairSet, assess, assess_galleries, assess_there
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.devices import Device
from ghostface_edge.reports.gate import judge, judge_report
from ghostface_edge.reports.groups import PeopleFile
from ghostface_edge.reports.report import (
    Accuracy,
    Artifact,
    Calibration,
    Data,
    Host,
    Latency,
    ModelInfo,
    Pairs,
    Report,
    Tool,
    Variant,
    VersusReference,
)
from ghostface_edge.reports.variant import SetResult


@dataclass(frozen=True)
class Faces:
    """Embeddings of people, and pairs of them in ten folds of same and different."""

    embeddings: NDArray[np.float32]
    index: NDArray[np.int64]
    same: NDArray[np.bool_]

    def noisy(self, amount: float, seed: int = 1) -> NDArray[np.float32]:
        noise = np.random.default_rng(seed).standard_normal(self.embeddings.shape)
        return (self.embeddings + amount * noise).astype(np.float32)


def make_faces(pairs: int, seed: int = 0) -> Faces:
    rng = np.random.default_rng(seed)
    people = rng.standard_normal((pairs, 32))
    images = np.repeat(people, 2, axis=0) + 0.75 * rng.standard_normal((2 * pairs, 32))
    half = pairs // 20
    index, same = [], []
    for fold in range(10):
        for number in range(half):
            person = fold * 2 * half + number
            index += [(2 * person, 2 * person + 1)]
            same += [True]
        for number in range(half):
            person = fold * 2 * half + number
            index += [(2 * person, 2 * (person + half))]
            same += [False]
    return Faces(images.astype(np.float32), np.array(index), np.array(same))


def make_variant(faces: Faces, variant_id: str, noise: float, size: int, milliseconds: float) -> Variant:
    runtime, precision, *suffix = variant_id.split("-")
    embeddings = faces.noisy(noise)
    scores = metrics.cosine_scores(embeddings, faces.index)
    reference = metrics.cosine_scores(faces.embeddings, faces.index)
    samples, fp32 = latency_samples(milliseconds), latency_samples(1.0)
    versus = paired.compare(scores, reference, faces.same, embeddings, faces.embeddings, seed=0)
    return Variant(
        id=variant_id,
        runtime=runtime,
        precision=precision,
        method=suffix[0] if suffix else "convert",
        status="ok",
        artifact=Artifact(path=f"models/{variant_id}.onnx", bytes=size, sha256="a" * 64),
        accuracy=Accuracy.of(metrics.verification_accuracy(scores, faces.same)),
        versus_reference=VersusReference.of("onnxruntime-fp32", versus),
        latency=Latency.of(latency.summarize(samples, fp32), threads=1, load_ms=20.0, peak_rss_mb=90.0),
    )


def latency_samples(milliseconds: float) -> NDArray[np.float64]:
    return milliseconds * (1 + np.random.default_rng(3).exponential(0.02, 200))


def make_report(faces: Faces, variants: list[Variant]) -> Report:
    return Report(
        tool=Tool(version="0.1.0", packages={"numpy": "2"}),
        host=Host(
            cpu="a CPU",
            physical_cores=2,
            logical_cores=2,
            memory_gb=8.0,
            isa=("avx512_vnni",),
            os="Linux",
            machine="x86_64",
            python="3.11",
        ),
        model=ModelInfo(
            name="GhostFaceNetV1-0.5-2",
            architecture="GhostFaceNetV1",
            width=0.5,
            stride=2,
            embedding_size=512,
            parameters=722_364,
            mmacs=10.7,
            sha256="b" * 64,
        ),
        data=Data(
            pairs=Pairs(path="lfw.bin", sha256="c" * 64, count=len(faces.same), name="lfw"),
            calibration=Calibration(images=300, identities=290, identities_shared_with_pairs=0, sha256="d" * 64),
        ),
        variants=variants,
        gate=judge(variants),
    )


EMULATED: dict[str, object] = {
    "kind": "emulated",
    "is_timed": False,
    "sustained": [],
    "energy_mj_per_face": {},
    "conditions": None,
}
"""Fields of a device whose CPU is imitated, for `on_device`."""


def on_device(
    report: Report,
    local_id: str,
    name: str,
    faces: Faces,
    here: NDArray[np.float32],
    there: NDArray[np.float32] | None = None,
    **changed: object,
) -> Report:
    """The report with one of its variants on a board too, on all pairs.

    Args:
        report: of this host.
        local_id: which variant.
        name: of the board.
        faces: of the report.
        here: this host's embeddings.
        there: the board's, the same if left out.
        changed: fields of the device.
    """
    pairs = PairSet(faces.index, faces.same)
    local = next(variant for variant in report.variants if variant.id == local_id)
    accuracy, versus_reference = local.accuracy, local.versus_reference
    assert versus_reference is not None
    if there is None:
        there = here
    else:
        found = assess(pairs, there, faces.embeddings, versus_reference.reference, seed=0)
        accuracy, versus_reference = found.accuracy, found.versus_reference
    board: dict[str, Any] = {
        "name": name,
        "kind": "ssh",
        "machine": "aarch64",
        "cpu": "Cortex-A72",
        "os": "Debian 12",
        "python": "3.11.2",
        "runtimes": {"onnxruntime": "1.31.1"},
        "memory_mb": 3_790,
        "faces": len(there),
        "pairs": len(pairs.same),
        "same": int(pairs.same.sum()),
        "is_timed": True,
        "conditions": {
            "governor": "ondemand",
            "before": {"frequency_mhz": 1800, "temperature_c": 48.2},
            "after": {"frequency_mhz": 1500, "temperature_c": 81.7},
            "throttled": True,
            "cores": [3],
            "load": 0.12,
        },
        "energy_mj_per_face": {local_id: 31.5},
        "sustained": [
            {
                "variant": local_id,
                "streams": 1,
                "p90_ms": 9.4,
                "faces_per_second": 115.0,
                "samples": [
                    {"seconds": 30, "p50_ms": 8.1, "at": {"frequency_mhz": 1800, "temperature_c": 55}},
                    {"seconds": 60, "p50_ms": 9.2, "at": {"frequency_mhz": 1500, "temperature_c": 80}},
                ],
            }
        ],
    }
    device = Device.model_validate({**board, **changed})
    row: dict[str, Any] = {
        "id": f"{local_id}@{name}",
        "device": name,
        "accuracy": accuracy,
        "versus_reference": versus_reference,
        "versus_local": assess_there(pairs, there, here, seed=0),
        "latency": local.latency if device.is_timed else None,
    }
    repeated = ("runtime", "precision", "method", "status", "artifact")
    variant = Variant.model_validate({**{field: getattr(local, field) for field in repeated}, **row})
    variants = (*report.variants, variant)
    with_it = report.model_copy(update={"variants": variants, "devices": (*report.devices, device)})
    return judge_report(with_it)


def make_whole_report(faces: Faces, few: Faces, variants: Sequence[Variant], images: int) -> Report:
    """A report with all that a run states.

    Args:
        faces: what the main pairs are of.
        few: what the further pairs, called `few`, are of.
        variants: FP32 and INT8 of ONNX Runtime, whose figures are replaced.
        images: how many of the first ones are compared all against all; two of each person.
    """
    gallery = _two_of_each("p", images)
    before = compare_all(faces.embeddings[:images], gallery)
    told = {"sex": {name: "fm"[place % 2] for place, name in enumerate(gallery.names[:-10])}}
    told["team"] = {name: "few" if place < 8 else "many" for place, name in enumerate(gallery.names)}
    people = {"people": images // 2, "not_in_gallery": 0, "not_said": {"sex": 10, "team": 0}}
    looked_at = review(before)
    pairs, further = (PairSet(some.index, some.same) for some in (faces, few))
    other = OtherSet(few.index, few.same, _two_of_each("f", len(few.embeddings)))
    fp32, embeddings, whole = latency_samples(1.0), {}, []
    for variant, noise, milliseconds in zip(variants, (1e-6, 0.05), (1.0, 0.8), strict=True):
        embeddings[variant.id] = faces.noisy(noise)
        found = assess(pairs, embeddings[variant.id], faces.embeddings, "checkpoint", seed=0)
        on_few = assess(further, few.noisy(noise), few.embeddings, "checkpoint", seed=0)
        summary = latency.summarize(latency_samples(milliseconds), fp32)
        size = {"bytes": 3_200_000 if variant.precision == "fp32" else 1_000_000, "fp32_bytes": 3_200_000}
        scores = compare_all(embeddings[variant.id][:images], gallery)
        all_pairs = judge_all_pairs(scores, before)
        update = {
            "all_pairs": all_pairs.model_copy(update={"det": all_pairs.det[::40]}),
            "groups": judge_groups(scores, before, told),
            "artifact": variant.artifact.model_copy(update=size),
            "accuracy": found.accuracy,
            "versus_reference": found.versus_reference,
            "thresholds": found.thresholds,
            "flips": found.flips,
            "fold_drops_pp": found.fold_drops_pp,
            "latency": Latency.of(summary, threads=1, load_ms=20.0, peak_rss_mb=90.0),
            "sets": {"few": SetResult(accuracy=on_few.accuracy, versus_reference=on_few.versus_reference)},
            "one_threshold": keep_thresholds(all_pairs, found.thresholds, {"few": (other, few.noisy(noise))}),
            "int8_mac_share": 0.0 if variant.precision == "fp32" else 0.97,
        }
        whole.append(variant.model_copy(update=update))
    report = make_report(faces, whole)
    main, second = (
        report.data.pairs.model_copy(
            update={"name": name, "count": len(of.same), "same": int(of.same.sum()), "images": len(of.embeddings)}
        )
        for name, of in (("lfw", faces), ("few", few))
    )
    file = PeopleFile(path="people.csv", sha256="a" * 64, **people)
    return report.model_copy(
        update={
            "tool": report.tool.model_copy(update={"started": "2026-01-01T00:00:00+00:00"}),
            "data": report.data.model_copy(update={"pairs": main, "further_pairs": (second,), "groups": file}),
            "cross_precision": assess_galleries(pairs, embeddings),
            "review": looked_at.model_copy(
                update={"impostor": looked_at.impostor[:3], "genuine": looked_at.genuine[:3]}
            ),
        }
    )


def _two_of_each(letter: str, images: int) -> Gallery:
    """A gallery of people with two images each, the first two of whom may be one."""
    names = [f"{letter}{image // 2:04d}" for image in range(images)]
    return Gallery.of(names, [(names[0], names[2])])


def make_curves(faces: Faces, noises: dict[str, float]) -> ReportCurves:
    return ReportCurves(
        same=faces.same,
        scores={name: metrics.cosine_scores(faces.noisy(noise), faces.index) for name, noise in noises.items()},
        reference_scores=metrics.cosine_scores(faces.embeddings, faces.index),
        latency_ms={name: latency_samples(1.0) for name in noises},
    )


def altered(content: Any, changes: Mapping[str, object]) -> Any:
    """A copy of JSON content with fields set by their places, as refusals name them."""
    whole = copy.deepcopy(content)
    for place, value in changes.items():
        *path, last = (int(step) if step.isdigit() else step for step in re.findall(r"0\.0+1|[^.]+", place))
        part = whole
        for step in path:
            part = part[step]
        part[last] = copy.deepcopy(value)
    return whole


@pytest.fixture(scope="session")
def faces() -> Faces:
    return make_faces(2_000)


@pytest.fixture(scope="session")
def variants(faces: Faces) -> list[Variant]:
    return [
        make_variant(faces, "onnxruntime-fp32", 0.0, 3_200_000, 1.0),
        make_variant(faces, "onnxruntime-int8", 0.02, 1_000_000, 0.8),
        make_variant(faces, "onnxruntime-int8-stock", 1.6, 1_040_000, 1.5),
    ]


@pytest.fixture(scope="session")
def report(faces: Faces, variants: list[Variant]) -> Report:
    return make_report(faces, variants)


@pytest.fixture(scope="session")
def curves(faces: Faces) -> ReportCurves:
    return make_curves(faces, {"onnxruntime-fp32": 0.0, "onnxruntime-int8": 0.02, "onnxruntime-int8-stock": 1.6})


@pytest.fixture(scope="session")
def few_variants() -> list[Variant]:
    few = make_faces(60)
    return [
        make_variant(few, "onnxruntime-fp32", 0.0, 3_200_000, 1.0),
        make_variant(few, "onnxruntime-int8", 0.02, 1_000_000, 0.8),
    ]


@pytest.fixture(scope="session")
def deployed(report: Report) -> Report:
    """The report with all that a quantization, a profile, a compiler and a microcontroller have to say.

    FP32, INT8 and stock of ONNX Runtime, and INT8 once more as TFLite with the same quantization.
    """
    fp32, int8, stock = report.variants
    carried = {
        "int8_mac_share": 0.97,
        "float_tensors": ["head/conv"],
        "higher_precision": "float32",
        "curve": [
            {"step": "min-max ranges", "cosine_mean": 0.26, "cosine_p01": -0.1, "sqnr_db": -1.5},
            {"step": "equalization", "cosine_mean": 0.95, "cosine_p01": 0.9, "sqnr_db": 9.0},
        ],
        "range_stability": [{"tensor": "stem", "spread": 0.04}, {"tensor": "head", "spread": 0.6}],
        "sensitivity": [{"name": "stem", "cosine": 0.99, "sqnr_db": 20.0}, {"name": "head", "cosine": 0.4}],
    }
    profile = [
        {"kind": "QLinearConv", "calls": 54, "ms": 1.2, "role": "integer"},
        {"kind": "PRelu", "calls": 41, "ms": 0.5, "role": "float"},
        {"kind": "QuantizeLinear", "calls": 40, "ms": 0.2, "role": "quantize"},
        {"kind": "Transpose", "calls": 2, "ms": 0.1, "role": "layout"},
    ]
    micro_profile = [
        {"kind": "CONV_2D", "calls": 54, "ms": 0.9, "role": "integer", "delegated": True},
        {"kind": "MAXIMUM", "calls": 41, "ms": 0.1, "role": "integer", "delegated": False},
    ]
    estimate = {
        "accelerator": "Ethos-U55-128",
        "tool": "Vela 4.2.0",
        "inference_ms": 6.4,
        "sram_kib": 271.2,
        "flash_kib": 1717.4,
        "macs_per_cycle": 17.25,
        "npu_operators": 212,
        "cpu_operators": 0,
        "output_in_input": True,
        "path": "models/u55.tflite",
    }
    on_micro = {
        "id": "tflite-int8",
        "runtime": "tflite",
        "profile": micro_profile,
        "estimates": [
            estimate,
            estimate | {"accelerator": "Ethos-U65-256", "output_in_input": False, "cpu_operators": 1},
        ],
        "firmware": {"arena_bytes": 289_792, "operators": {"CONV_2D": 54, "MAXIMUM": 41}, "files": ["m.cc", "m.h"]},
    }
    searched = {
        "latency_search": {
            "cosine_limit": 0.97,
            "cosine": 0.98,
            "measured": 24,
            "versus_int8": 0.93,
            "versus_int8_ci95": (0.91, 0.95),
            "float_share": 0.042,
        }
    }
    whole = int8.model_dump()
    variants = [
        fp32.model_validate({**fp32.model_dump(), "profile": [{**profile[1], "kind": "Conv"}]}),
        int8.model_validate({**whole, **carried, **searched, "profile": profile}),
        stock,
        int8.model_validate({**whole, **carried, **on_micro}),
    ]
    return report.model_copy(update={"variants": tuple(variants), "gate": judge(variants)})
