"""What is refused of an OpenVINO model; the files are OpenVINO's own, changed as text."""

from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.checks.openvino_ir import check

openvino = pytest.importorskip("openvino")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    from openvino import opset13

    faces = opset13.parameter(openvino.PartialShape([-1, 3, 28, 28]), np.float32, name="faces")
    kernel = opset13.constant(np.ones((4, 3, 3, 3), np.float32))
    product = opset13.convolution(faces, kernel, [2, 2], [0, 0], [0, 0], [1, 1])
    openvino.save_model(
        openvino.Model([opset13.relu(product)], [faces], "tiny"), tmp_path / "m.xml", compress_to_fp16=False
    )
    return tmp_path / "m.xml"


def test_openvinos_own_file_passes(path: Path) -> None:
    check(path)


def test_weights_are_beside_it(path: Path) -> None:
    weights = path.with_suffix(".bin")
    data = weights.read_bytes()
    weights.write_bytes(data[:-4])
    with pytest.raises(InputError, match=r"ends at byte 432, the \.bin at 428"):
        check(path)
    weights.unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        check(path)
    weights.mkdir()
    with pytest.raises(InputError, match="a folder"):
        check(path)


ENTITIES = '<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<net", ENTITIES + "<net", "document type"),
        ("<net", '<!DOCTYPE net SYSTEM "file:///etc/passwd"><net', "document type"),
        ("<net", "<other>" * 40 + "<net", "nested more than 32 deep"),
        ('type="ReLU"', 'type="Loop"', "is a Loop"),
        ('type="ReLU" version="opset1"', 'type="ReLU" version="extension"', "of extension"),
        ('type="ReLU"', 'type="Nothing"', "not a readable OpenVINO model"),
        ('offset="0"', 'offset="1000000"', "ends at byte"),
        ('offset="0"', 'offset="-8"', "takes 432 bytes"),
        ('offset="0"', "", "'offset'"),
        ('size="432"', 'size="99999999"', "takes 99,999,999 bytes"),
        ('shape="4, 3, 3, 3"', 'shape="4, 3, 3, 30000"', "takes 432 bytes"),
        ('element_type="f32" shape="4', 'element_type="f99" shape="4', "takes 432 bytes"),
        ('pads_end="0, 0"', 'pads_end="90000, 90000"', "computes"),
        ("?,3,28,28", "1000000000,3,28,28", "computes"),
        ("?,3,28,28", "?,3,?,?", "cannot be told"),
        ('to-layer="2"', 'to-layer="99"', "'99'"),
        ('from-layer="0"', 'from-layer="3"', "go round in a circle"),
        ("</net>", "", "no element found"),
    ],
)
def test_other_texts_are_refused(path: Path, old: str, new: str, message: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        check(path)


def test_noise_is_refused(path: Path) -> None:
    for text in (b"", b"\x00" * 100, b"\xff\xfe" + bytes(50), b"<net/>", b"<" * 100_000):
        path.write_bytes(text)
        with pytest.raises(InputError, match="not a readable OpenVINO model"):
            check(path)
