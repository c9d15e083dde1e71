import pytest
from pydantic import ValidationError

from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.history.kept_run import Figure, KeptRun
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Status

from ..conftest import Faces, make_faces, make_whole_report, on_device


@pytest.fixture(scope="module")
def whole(faces: Faces, deployed: Report) -> Report:
    return make_whole_report(faces, make_faces(600, seed=5), deployed.variants[:2], images=1200)


def test_figures_are_those_of_the_report(whole: Report) -> None:
    kept = KeptRun.of(whole, ExitCode.PASS, "v2")
    local, variant = whole.variants[1], kept.variants[1]
    assert local.accuracy is not None
    assert local.latency is not None
    assert local.artifact is not None
    assert local.all_pairs is not None
    half = 1.96 * local.accuracy.standard_error
    mean = local.accuracy.mean
    assert variant.accuracy == Figure(value=mean, ci95=(mean - half, mean + half))
    assert variant.versus_fp32 is not None
    assert (variant.versus_fp32.value, variant.versus_fp32.ci95) == (
        local.latency.versus_fp32,
        local.latency.versus_fp32_ci95,
    )
    assert variant.bytes == local.artifact.bytes
    assert variant.fmr == local.all_pairs.lowest_told == "0.0001"
    assert variant.fnmr is not None
    assert variant.fnmr.value == local.all_pairs.fnmr_at_fmr["0.0001"].fnmr
    assert (kept.name, kept.network, kept.pairs.count) == ("v2", whole.model.name, whole.data.pairs.count)
    assert KeptRun.model_validate_json(kept.to_json(), strict=True) == kept


def test_a_run_without_a_name_is_known_by_its_minute(whole: Report) -> None:
    assert KeptRun.of(whole, ExitCode.PASS).name == "2026-01-01 00:00"


def test_what_failed_has_its_error_and_no_figures(whole: Report) -> None:
    fields = ("accuracy", "versus_reference", "latency", "all_pairs", "artifact")
    failed = whole.variants[1].model_copy(update={"status": Status.FAILED, "error": "it died", **dict.fromkeys(fields)})
    kept = KeptRun.of(whole.model_copy(update={"variants": (failed,)}), ExitCode.TOOL_FAILED)
    (variant,) = kept.variants
    assert (variant.status, variant.error, kept.exit_code) == (Status.FAILED, "it died", ExitCode.TOOL_FAILED)
    assert {variant.accuracy, variant.fnmr, variant.versus_fp32, variant.bytes, variant.timed_on} == {None}


def test_a_bound_is_no_figure_to_follow(report: Report) -> None:
    """Nobody on those images is known."""
    assert KeptRun.of(report, ExitCode.PASS).variants[0].fmr is None


def test_a_device_computes_and_is_timed_on_its_own(report: Report, faces: Faces) -> None:
    there = on_device(report, "onnxruntime-int8", "pi4", faces, faces.noisy(0.02))
    kept = {variant.id: variant for variant in KeptRun.of(there, ExitCode.PASS).variants}
    assert kept["onnxruntime-int8"].kernels == "x86_64 with VNNI"
    assert kept["onnxruntime-int8"].timed_on == "a CPU (avx512_vnni), 1 thread"
    assert kept["onnxruntime-int8@pi4"].kernels == "Cortex-A72, aarch64"
    assert kept["onnxruntime-int8@pi4"].timed_on == "Cortex-A72, 1 thread"


def test_an_interval_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="ends before it begins"):
        Figure(value=0.5, ci95=(0.6, 0.4))
