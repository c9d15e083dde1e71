"""A Cortex-M core as a device: C goes there, embeddings, instructions and sizes come back."""

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError, RuntimeMissingError, ToolError
from ghostface_edge.targets.c.metal import cores
from ghostface_edge.targets.c.metal.build import build
from ghostface_edge.targets.c.target import CTarget
from ghostface_edge.targets.devices.instructions import counting, read_count
from ghostface_edge.targets.devices.table import find_devices

RUNS = 3


@pytest.fixture
def model(ghost_qdq, tmp_path):
    path = tmp_path / "model.c"
    CTarget().lower_quantized(ghost_qdq, path)
    return CTarget().files(path)


@pytest.fixture
def faces():
    return np.random.default_rng(7).integers(0, 256, (4, 28, 28, 3), np.uint8)


@pytest.mark.usefixtures("emulator")
def test_it_gives_the_bytes_of_this_host_and_says_what_that_took(model, faces, tmp_path):
    embedder = CTarget().load(model[0], 1, 1)
    here = embedder.run(embedder.prepare(faces))
    (m7,) = find_devices(["cortex-m7"], tmp_path / "userlands")
    device, counter = counting(m7, tmp_path)
    with device.open("c", log=tmp_path / "log") as there:
        facts = there.facts()
        assert (facts.machine, facts.cpu, facts.python) == ("mps2-an500", "cortex-m7", None)
        assert set(facts.versions) == {cores.COMPILER, cores.EMULATOR}
        there.load(model, 1, 1)
        assert there.embed(faces).tobytes() == here.tobytes()
        counts = []
        for _ in range(2):
            before = read_count(counter)
            there.time(faces[:1], RUNS)
            counts.append(read_count(counter) - before)
        assert counts[0] == pytest.approx(counts[1], abs=200)  # on its way to the next face when it is asked
        assert counts[0] > RUNS * 1_000_000
        footprint = there.footprint()
        assert footprint.flash_bytes > 20_000
        assert footprint.ram_bytes > 28 * 28 * (3 + 20)
        assert 200 < footprint.stack_bytes < 4_000
        assert there.embed(faces[:1]).tobytes() == here[:1].tobytes()


@pytest.mark.usefixtures("emulator")
def test_c_from_elsewhere_is_not_compiled(model, tmp_path):
    model[0].write_text(model[0].read_text().replace("return 0;", "return 1;", 1))
    (device,) = find_devices(["cortex-m7"], tmp_path / "userlands")
    with device.open("c", log=tmp_path / "log") as there, pytest.raises(InputError, match="is not what"):
        there.load(model, 1, 1)


@pytest.mark.usefixtures("emulator")
def test_what_does_not_fit_is_told(model, tmp_path_factory):
    header = model[1].read_text()
    model[1].write_text(header.replace("#define MODEL_ARENA_BYTES ", "#define MODEL_ARENA_BYTES 99"))
    with pytest.raises(ToolError, match=r"arm-none-eabi-gcc refuses model\.c: .*(region|not fit)"):
        build(model[0], "cortex-m7", tmp_path_factory.mktemp("built"))


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeMissingError, match=r"apt-get install gcc-arm-none-eabi .* qemu-system-arm"):
        find_devices(["cortex-m55"], tmp_path)
