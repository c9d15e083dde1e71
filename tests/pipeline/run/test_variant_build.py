"""One variant of a tiny network: what is built, and how each way to fail is told."""

from dataclasses import replace

import numpy as np
import pytest

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.run.variant_build import Built, Failed, Ingredients, build_variant
from ghostface_edge.pipeline.run.variant_timing import Measured, time_variants
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_of
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.embed import Embed
from ghostface_edge.pipeline.stages.export import Export
from ghostface_edge.pipeline.stages.profile import Profile
from ghostface_edge.pipeline.stages.quantize import Quantize
from ghostface_edge.reports.errors import RuntimeMissingError, ToolError
from ghostface_edge.reports.variant import Status
from ghostface_edge.targets.onnxruntime.target import OnnxruntimeTarget
from ghostface_edge.targets.protocol import InputType, Precision
from ghostface_edge.targets.table import VariantId

FP32, FP16, INT8 = (VariantId("onnxruntime", precision) for precision in Precision)


@pytest.fixture
def given(context, small_inputs):
    calibration = sample(scan_folder(small_inputs / "calibration"), 24, 0)
    model = context.run(Export(small_inputs / "tiny.safetensors", calibration))
    with DecodedFaces.of_calibration(context.store, calibration) as faces:
        reference = context.run(Embed(artifact_of("onnxruntime", model.path), faces, 1, "reference"))
        yield Ingredients(
            model=model,
            calibration=calibration,
            quantize=Quantize(model.path, calibration, Recipe(), 0),
            quantized=ToolError("the quantizer died", fix="see the logs"),
            input_type=InputType.INT8,
            latency_threads=1,
            faces={"pairs": faces},
            reference={"pairs": reference},
        )


def test_a_converted_variant_embeds_as_the_reference_does(given, context):
    built = build_variant(FP32, given, context)
    assert isinstance(built, Built)
    assert built.method == "convert"
    assert built.quantization is built.search is built.firmware is None
    np.testing.assert_allclose(built.embeddings["pairs"], given.reference["pairs"], atol=1e-4)
    assert built.info.macs_by_precision["fp32"] > 0


def test_a_failed_quantization_is_the_failure_of_what_needs_it(given, context):
    failed = build_variant(INT8, given, context)
    assert failed == Failed(INT8, "quantize", Status.FAILED, "the quantizer died (fix: see the logs)")
    assert isinstance(build_variant(FP16, given, context), Built)


def test_a_runtime_that_is_not_installed_is_skipped(given, context, monkeypatch):
    def missing(_self):
        raise RuntimeMissingError("onnxruntime is not installed", fix="pip install it")

    monkeypatch.setattr(OnnxruntimeTarget, "require", missing)
    failed = build_variant(FP32, given, context)
    assert failed.status is Status.SKIPPED
    assert "pip install it" in failed.error
    assert context.progress.said[-1].startswith("onnxruntime-fp32: skipped: onnxruntime is not installed")


def test_an_fp32_that_is_another_network_does_not_ship(given, context):
    other = replace(given, reference={"pairs": given.reference["pairs"][::-1]})
    failed = build_variant(FP32, other, context)
    assert failed.status is Status.FAILED
    assert "differ from the checkpoint's" in failed.error


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_useless_embeddings_are_a_failure(given, context, monkeypatch, value):
    def broken(self, _folder):
        return np.full((len(self.faces), 4), value, np.float32)

    monkeypatch.setattr(Embed, "read", broken)
    failed = build_variant(FP16, given, context)
    assert failed.error.startswith("24 of 24 embeddings are zero or not finite")


def test_timing_keeps_the_order_and_each_variants_own_failure(given, context, tmp_path):
    """A damaged file cannot be loaded: its variant fails, the others get their figures, a failure stays one."""
    fp32, fp16 = (build_variant(variant, given, context) for variant in (FP32, FP16))
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    broken = Artifact("onnxruntime", (tmp_path / "broken.onnx",), "0" * 64, 0.0)
    dead = replace(fp16, artifact=broken)
    failed = Failed(INT8, "quantize", Status.FAILED, "as before")
    done = time_variants([fp32, dead, failed], given.model, given.calibration, 1, context)
    assert [type(one) for one in done] == [Measured, Failed, Failed]
    assert done[0].built is fp32
    assert done[0].fp32_bytes == fp32.artifact.size_bytes
    np.testing.assert_array_equal(done[0].timing.samples_ms, done[0].baseline.samples_ms)
    assert done[1].id == FP16
    assert done[1].status is Status.FAILED
    assert done[2] is failed


def test_a_profiler_that_fails_costs_nothing_else(given, context, monkeypatch):
    def broken(*_):
        raise ToolError("no clock", fix="buy one")

    monkeypatch.setattr(Profile, "name", "profile-anew")
    monkeypatch.setattr(Profile, "build", broken)
    (measured,) = time_variants([build_variant(FP32, given, context)], given.model, given.calibration, 1, context)
    assert isinstance(measured, Measured)
    assert measured.profile == ()
    assert context.progress.said[-1] == "onnxruntime-fp32: no profile: no clock (fix: buy one)"
