import pytest

from ghostface_edge.pipeline.support import code_version as module
from ghostface_edge.pipeline.support.code_version import code_version


@pytest.mark.parametrize("package", ["calibration", "pipeline", "reports", "targets"])
def test_every_package_of_ours_decides_what_may_be_used_again(package, monkeypatch, tmp_path):
    before = code_version()
    whole = module.files

    def changed(name):
        if name != f"ghostface_edge.{package}":
            return whole(name)
        (tmp_path / "new.py").touch()
        return tmp_path

    monkeypatch.setattr(module, "files", changed)
    code_version.cache_clear()
    try:
        assert code_version() != before
    finally:
        code_version.cache_clear()
