"""What others wrote is looked at before ExecuTorch sees it."""

from contextlib import suppress

import numpy as np
import pytest

pytest.importorskip("flatbuffers", reason="flatbuffers is not installed")
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.executorch import ExecutorchTarget
from ghostface_edge.targets.executorch.program import read_program
from ghostface_edge.targets.judge import judge_artifact
from ghostface_edge.targets.protocol import INPUT, Precision

from . import pte


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "net.pte"
        path.write_bytes(content)
        return path

    return write


def test_what_a_program_says_of_itself(written):
    artifact, target = written(pte.small_program()), ExecutorchTarget()
    info = target.inspect(artifact)
    assert info.input_shape == (1, 3, 8, 8)
    assert info.operators == {"Conv2d": 1, "StaticReshape": 1, "StaticTranspose": 1}
    assert info.macs_by_precision == {"int8": 8 * 8 * 4 * 27}
    tensors = target.tensors(artifact)
    assert [(each.name, each.operator, each.sources) for each in tensors] == [
        ("0", INPUT, ()),
        ("1", "StaticTranspose", ("0",)),
        ("4", "Conv2d", ("1",)),
        ("5", "StaticReshape", ("4",)),
    ]
    judge_artifact(artifact)


def changed(place, shape, kind, **settings):
    values = pte.small_values()
    values[place] = pte.value(place, shape, kind, **settings)
    return values


HOSTILE = {
    "no program": (b"\0" * 4 + b"XXXX" + b"\0" * 60, "marks ET12"),
    "an operator outside": (pte.small_program(operators=[("aten::tanh", "out")]), "aten::tanh.out runs outside"),
    "two calls": (pte.small_program(calls=2), "not a readable"),
    "another node": (pte.small_program(nodes=[pte.node(24, pte.number(0), pte.number(1))]), "a node of kind 24"),
    "a short kernel": (pte.small_program(sizes=(3 * 9 * 4 - 1, 16, 16)), r"constant 2 of \(4, 3, 3, 3\) has 107 bytes"),
    "missing scales": (pte.small_program(sizes=(108, 16, 12)), "scales, which are not there"),
    "other channels": (
        pte.small_program(nodes=[pte.small_nodes()[0], pte.convolution(inputs=2), pte.small_nodes()[2]]),
        "a Conv2d of .* reads",
    ),
    "no stride": (
        pte.small_program(nodes=[pte.small_nodes()[0], pte.convolution(stride=0), pte.small_nodes()[2]]),
        "not a readable",
    ),
    "written twice": (
        pte.small_program(nodes=[pte.small_nodes()[0], pte.convolution(output=1), pte.small_nodes()[2]]),
        "writes 1 again",
    ),
    "out of order": (pte.small_program(nodes=pte.small_nodes()[::-1]), "reads what is not written"),
    "nothing written": (pte.small_program(nodes=pte.small_nodes()[:2]), "nothing writes its output"),
    "a huge value": (
        pte.small_program(values=changed(4, (1, 8, 8, 1 << 30), 3, quantized=pte.Table())),
        "value 4 has the shape",
    ),
    "another shape": (
        pte.small_program(values=changed(4, (1, 8, 8, 5), 3, quantized=pte.Table())),
        r"gives \(1, 8, 8, 4\)",
    ),
    "integers without a grid": (pte.small_program(values=changed(4, (1, 8, 8, 4), 3)), "of type 3"),
    "another type": (pte.small_program(values=changed(4, (1, 8, 8, 4), 8)), "of type 8"),
    "cut off": (pte.small_program()[:-4], "1,864 bytes and says 1,868"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_this_project_does_not_write_is_refused(written, case):
    content, says = HOSTILE[case]
    with pytest.raises(InputError, match=says):
        read_program(written(content))


def test_damage_is_an_error_of_ours(written):
    """Every byte of what is declared, set to values that lead far away."""
    content = pte.small_program()
    declared = len(content) - 108 - 16 - 16
    generator = np.random.default_rng(3)
    for place in generator.choice(declared, 400, replace=False):
        damaged = bytearray(content)
        damaged[place] ^= int(generator.choice([0xFF, 0x80, 0x01]))
        with suppress(InputError):  # some bytes are nobody's, or a program's that is as good
            read_program(written(bytes(damaged)))


def test_half_precision_is_refused(tmp_path):
    with pytest.raises(InputError, match="convert writes fp32, not fp16"):
        ExecutorchTarget().convert(tmp_path / "net.onnx", Precision.FP16, tmp_path / "net.pte")
