"""What userlands are made with, made up; `nox -s devices` runs models in real ones."""

import pytest

from ghostface_edge.pipeline.tools.userland import install
from ghostface_edge.reports.errors import RuntimeMissingError, ToolError


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A folder of programs that is all of PATH; returns what writes one."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    (tmp_path / "bin").mkdir()

    def write(name, script):
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return write


def test_a_host_without_apt_is_told(host, tmp_path):
    with pytest.raises(RuntimeMissingError, match="apt-get is not here") as refused:
        install(tmp_path, ["arm64"], print)
    assert "devices.yaml" in refused.value.fix


def test_what_is_whole_stays(host, tmp_path):
    for name in ("apt-get", "dpkg-deb"):
        host(name, "exit 1")
    host("qemu-aarch64", "")
    (tmp_path / "arm64").mkdir()
    (tmp_path / "arm64/whole").touch()
    said = []
    install(tmp_path, ["arm64"], said.append)
    assert said == ["arm64: is there"]


def test_a_download_that_fails_says_why_and_leaves_nothing_whole(host, tmp_path):
    host("apt-get", "echo Reading package lists...; echo 'E: Unable to locate package libgomp1' >&2; exit 100")
    host("dpkg-deb", "")
    host("qemu-aarch64", "")
    with pytest.raises(ToolError, match="apt-get failed: E: Unable to locate package libgomp1"):
        install(tmp_path, ["arm64"], print)
    assert not (tmp_path / "arm64/whole").exists()
