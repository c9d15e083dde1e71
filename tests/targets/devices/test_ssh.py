"""Devices behind the system's ssh: a real server on the loopback interface."""

import os
import sys
from contextlib import ExitStack

import numpy as np
import pytest

from ghostface_edge.targets.devices.refusals import LineBroken
from ghostface_edge.targets.devices.table import find_devices
from ghostface_edge.targets.onnxruntime.embedder import OnnxruntimeEmbedder
from ghostface_edge.targets.places.connection import ChildDeath

from ...devices.sshd import HOST, CannotServeError, devices_file, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ExitStack() as stack:
        try:
            yield stack.enter_context(serving(tmp_path_factory.mktemp("ssh")))
        except CannotServeError as reason:
            pytest.skip(str(reason))


@pytest.fixture
def find(server, tmp_path, monkeypatch):
    """The server as a device; what differs from its usual entry is given."""
    monkeypatch.setenv("PATH", f"{server.programs}{os.pathsep}{os.environ['PATH']}")

    def find(**changed):
        (tmp_path / "devices.yaml").write_text(devices_file(tmp_path, **changed))
        (device,) = find_devices([HOST], tmp_path, tmp_path / "devices.yaml")
        return device

    return find


def opened(device, tmp_path):
    return device.open("onnxruntime", log=tmp_path / "log", timeout_s=120)


def test_the_same_bytes_over_ssh(find, ghost_qdq, few_faces, tmp_path):
    embedder = OnnxruntimeEmbedder(ghost_qdq, 1, 1)
    here = np.concatenate([embedder.run(embedder.prepare(face[None])) for face in few_faces])
    with opened(find(), tmp_path) as there:
        facts = there.facts()
        assert (facts.machine, facts.versions["numpy"]) == (os.uname().machine, np.__version__)
        there.load((ghost_qdq,), 1, 1)
        assert there.embed(few_faces).tobytes() == here.tobytes()


def test_a_cable_that_is_pulled(find, server, tmp_path):
    device = find()
    with opened(device, tmp_path) as there:
        there.facts()
        assert server.kill_connections() == 1
        with pytest.raises(LineBroken, match="board: the connection broke"):
            there.facts()
    with opened(device, tmp_path) as there:
        there.facts()


def test_a_host_that_is_another(find, server, tmp_path):
    device = find()
    known = (server.folder / "known_hosts").read_text()
    server.change_host_key()
    try:
        with (
            opened(device, tmp_path) as there,
            pytest.raises(ChildDeath, match="board: its host key is not the known one") as refused,
        ):
            there.facts()
    finally:
        (server.folder / "known_hosts").write_text(known)
    assert not isinstance(refused.value, LineBroken)


def test_a_user_that_is_refused(find, server, tmp_path):
    keys = server.folder / "user.pub"
    content = keys.read_text()
    keys.write_text("")
    try:
        with opened(find(), tmp_path) as there, pytest.raises(ChildDeath, match="board: it refuses this user"):
            there.facts()
    finally:
        keys.write_text(content)


def python_that(tmp_path, line):
    """A Python there that runs a line before what it is given."""
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.argv = sys.argv[1:]\n{line}\n"
        "exec(compile(sys.argv[1], 'there', 'exec'))\n"
    )
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("sys.version_info = (3, 8, 10)", "its Python is too old"),
        ("sys.modules['numpy'] = None; sys.stderr.write(\"No module named 'numpy'\")", "its Python has no NumPy"),
        ("import os; os.kill(os.getpid(), 9)", "the process was killed there by SIGKILL"),
    ],
)
def test_a_python_that_cannot(find, tmp_path, line, says):
    with opened(find(python=python_that(tmp_path, line)), tmp_path) as there, pytest.raises(ChildDeath) as refused:
        there.facts()
    assert says in refused.value.message
    assert not isinstance(refused.value, LineBroken)


def test_no_python_there(find, tmp_path):
    with (
        opened(find(python="/opt/no/python3"), tmp_path) as there,
        pytest.raises(ChildDeath, match="board: it has no such Python"),
    ):
        there.facts()
