"""The target: what it writes, what it compiles, and what it will not."""

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError, RuntimeMissingError, ToolError
from ghostface_edge.targets.c import CTarget
from ghostface_edge.targets.c.compiler import compile_c, find_compiler
from ghostface_edge.targets.judge import judge_artifact
from ghostface_edge.targets.table import fp32_of


@pytest.fixture
def artifact(ghost_qdq, compiler, tmp_path):
    path = tmp_path / "network.c"
    CTarget().lower_quantized(ghost_qdq, path)
    return path


def test_three_files_and_facts_of_the_c(artifact):
    target = CTarget()
    assert [path.name for path in target.files(artifact)] == ["network.c", "network.h", "network.tflite"]
    assert all(path.is_file() for path in target.files(artifact))
    info = target.inspect(artifact)
    assert (info.input_dtype, info.input_zero_point, info.input_shape) == ("uint8", 128, (1, 28, 28, 3))
    assert info.macs_by_precision["int8"] == sum(info.macs_by_precision.values()) > 0
    assert 5_000 < info.constants_bytes < artifact.stat().st_size
    assert str(fp32_of("c")) == "tflite-fp32"


def test_a_profile_by_kind_of_layer(artifact):
    rows = CTarget().profile(artifact, 1)
    assert {row.kind for row in rows} >= {"Convolution", "Depthwise", "Addition", "Multiplication", "Mean"}
    assert all(row.ms > 0 for row in rows)


def test_c_from_elsewhere_is_not_compiled(artifact, tmp_path):
    trace = tmp_path / "ran"
    hostile = '__attribute__((constructor)) static void run(void) { fclose(fopen("' + str(trace) + '", "w")); }\n'
    text = artifact.read_text()
    for changed in ("#include <stdio.h>\n" + hostile + text, text.replace("127", "126", 1), text[:-1], ""):
        artifact.write_text(changed)
        for use in (CTarget().load, CTarget().profile):
            with pytest.raises(InputError, match=r"is not what ghostface-edge .* generates"):
                use(artifact, *([1, 1] if use.__name__ == "load" else [1]))
    assert not trace.exists()
    artifact.write_text(text)
    assert CTarget().load(artifact, 1, 1).infer(np.zeros((1, 28, 28, 3), np.uint8)).shape == (1, 24)


def test_a_source_without_its_model_is_refused_before_anything_reads_it(artifact):
    judge_artifact(artifact)
    artifact.with_suffix(".tflite").unlink()
    with pytest.raises(InputError, match=r"network\.tflite, is not beside it"):
        judge_artifact(artifact)


def test_no_compiler_names_the_package(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(RuntimeMissingError, match="no C compiler") as caught:
        CTarget().require()
    assert "apt-get install gcc" in caught.value.fix
    monkeypatch.setenv("CC", "nosuch-cc")
    with pytest.raises(RuntimeMissingError, match="nosuch-cc"):
        find_compiler()


def test_a_compiler_that_refuses_says_why(compiler, tmp_path):
    source = tmp_path / "wrong.c"
    source.write_text("int main(void) { return nothing; }\n")
    with pytest.raises(ToolError, match="nothing") as caught:
        compile_c(compiler, [source], [], tmp_path / "out")
    assert "wrong.c" in caught.value.fix
