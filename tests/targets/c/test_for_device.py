"""C for devices: the right compiler, the right instruction sets, and the same bytes from all of them."""

import platform
import shutil

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError, RuntimeMissingError, ToolError
from ghostface_edge.targets.c import CTarget
from ghostface_edge.targets.c.for_device import DeviceCompiler, compiler_for, flags_for
from ghostface_edge.targets.devices.emulated import CPUS
from tests.everywhere.campaign import build, embed, machines


@pytest.fixture
def artifact(ghost_qdq, compiler, tmp_path):
    path = tmp_path / "model.c"
    CTarget().lower_quantized(ghost_qdq, path)
    return path


@pytest.fixture
def expected(artifact, faces):
    """int8 (6, 24)"""
    return CTarget().load(artifact, 1, 1).infer(faces)


@pytest.mark.parametrize(
    ("machine", "features", "flags"),
    [
        ("aarch64", CPUS["cortex-a53"].features, ()),
        ("aarch64", CPUS["cortex-a76"].features, ("-march=armv8.2-a+dotprod",)),
        ("armv7l", CPUS["cortex-a7"].features, ("-mfpu=neon-vfpv4",)),
        ("armv7l", "half thumb vfp vfpv3d16", ()),
        ("x86_64", "fpu sse2 avx2 fma avx512f", ("-mavx2", "-mfma")),
        ("x86_64", "avx2 avx512_vnni avx512vl fma", ("-mavx2", "-mfma", "-mavx512vnni", "-mavx512vl")),
        ("riscv64", "", ()),
    ],
)
def test_instruction_sets_are_those_that_a_device_tells(machine, features, flags):
    assert flags_for(machine, features) == flags


def test_a_missing_cross_compiler_names_its_package(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    other = "riscv64" if platform.machine() == "aarch64" else "aarch64"
    with pytest.raises(RuntimeMissingError, match=f"no C compiler for {other}") as caught:
        compiler_for(other)
    assert f"apt-get install gcc-{other}-linux-gnu" in caught.value.fix
    with pytest.raises(ToolError, match="no compiler is known for 'sparc'"):
        compiler_for("sparc")


def test_a_device_gets_a_library_of_its_own(make_device, artifact, faces, expected, tmp_path):
    with make_device().open("c", log=tmp_path / "log", timeout_s=120) as there:
        assert there.load(CTarget().files(artifact), 1, 1) > 0
        found = there.embed(faces)
        (received,) = (tmp_path / "there").glob("*.so")
    whole = CTarget().load(artifact, 1, 1)
    assert found.tobytes() == whole.run(faces).tobytes()
    assert np.unique(expected, axis=0).shape == expected.shape
    assert b"libc.so" not in received.read_bytes(), "it would not load where the C library has another name"


def test_c_from_elsewhere_is_sent_nowhere(artifact, tmp_path):
    artifact.write_text(artifact.read_text() + "\n")
    with pytest.raises(InputError, match="is not what ghostface-edge"):
        DeviceCompiler().build(artifact, platform.machine(), "", tmp_path / "model.so")
    assert not (tmp_path / "model.so").exists()


@pytest.mark.parametrize("name", ["cortex-a53", "cortex-a76", "cortex-a7", "riscv64"])
def test_kernels_of_other_machines_give_the_same_bytes(name, artifact, faces, expected, tmp_path):
    machine = machines()[name]
    if shutil.which(machine.emulator[0]) is None:
        pytest.skip(f"{machine.emulator[0]} is not there")
    try:
        compiler_for(machine.machine)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    program, _ = build(machine, artifact, tmp_path)
    assert (embed([*machine.emulator, str(program)], faces) == expected).all()
