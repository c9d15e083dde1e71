"""Where the cache is."""

import pytest

from ghostface_edge.reports.cache_root import default_root
from ghostface_edge.reports.errors import InputError


def test_a_cache_is_where_the_user_wants_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(tmp_path / "a/b/c"))
    assert default_root() == tmp_path / "a/b/c"
    monkeypatch.delenv("GHOSTFACE_EDGE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg/ghostface-edge"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_root() == tmp_path / ".cache/ghostface-edge"


def test_a_user_without_a_home_names_a_place(monkeypatch):
    def nobody(_):
        raise KeyError

    for name in ("GHOSTFACE_EDGE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(InputError, match="no home folder") as refused:
        default_root()
    assert "GHOSTFACE_EDGE_CACHE" in refused.value.fix
