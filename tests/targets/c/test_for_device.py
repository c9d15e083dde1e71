"""C for devices: the right compiler, the right instruction sets, and the same bytes from all of them."""

import platform
import shutil
from dataclasses import replace

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError, RuntimeMissingError, ToolError
from ghostface_edge.targets.c import CTarget
from ghostface_edge.targets.c.for_device import DeviceCompiler, compiler_for, flags_for
from ghostface_edge.targets.devices.emulated import CPUS
from tests.everywhere.campaign import build, embed, machines


@pytest.fixture
def artifact(ghost_qdq, compiler, tmp_path):
    path = tmp_path / "network" / "model.c"
    path.parent.mkdir()
    CTarget().lower_quantized(ghost_qdq, path)
    return path


@pytest.fixture
def here(artifact):
    """The network as this host compiles it."""
    return CTarget().load(artifact, 1, 1)


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


def test_a_device_gets_a_library_of_its_own(make_device, artifact, faces, here, tmp_path):
    with make_device().open("c", log=tmp_path / "log", timeout_s=120) as there:
        assert there.load(CTarget().files(artifact), 1, 1) > 0
        found = there.embed(faces)
        (received,) = (tmp_path / "there").glob("*.so")
    assert len(np.unique(found, axis=0)) == len(faces)
    assert found.tobytes() == here.run(faces).tobytes()
    assert b"libc.so" not in received.read_bytes(), "it would not load where the C library has another name"


def test_c_from_elsewhere_is_sent_nowhere(artifact, tmp_path):
    changed = tmp_path / "model.c"
    shutil.copyfile(artifact.with_suffix(".tflite"), changed.with_suffix(".tflite"))
    changed.write_text(artifact.read_text() + "\n")
    with pytest.raises(InputError, match="is not what ghostface-edge"):
        DeviceCompiler().build(changed, platform.machine(), "", tmp_path / "model.so")
    assert not (tmp_path / "model.so").exists()


def test_kernels_of_other_machines_give_the_same_bytes(artifact, faces, here, tmp_path):
    expected, missing = here.infer(faces), []
    for name in ("cortex-a53", "cortex-a76", "cortex-a7", "riscv64"):
        machine, folder = machines()[name], tmp_path / name
        try:
            compiler_for(machine.machine)
        except RuntimeMissingError as error:
            missing.append(str(error))
            continue
        if shutil.which(machine.emulator[0]) is None:
            missing.append(f"{machine.emulator[0]} is not there")
            continue
        folder.mkdir()
        program, _ = build(replace(machine, flags=(*machine.flags, "-O1")), artifact, folder)
        found = embed([*machine.emulator, str(program)], faces)
        assert (found == expected).all(), name
    if missing:
        pytest.skip("; ".join(missing))
