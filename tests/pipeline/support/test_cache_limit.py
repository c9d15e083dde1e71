import pytest

from ghostface_edge.pipeline.support.cache_limit import VARIABLE, cache_limit, size_text
from ghostface_edge.reports.errors import InputError


@pytest.mark.parametrize(
    ("told", "size"),
    [
        ("8G", 8 * 2**30),
        ("500M", 500 * 2**20),
        ("1.5 GiB", 3 * 2**29),
        ("64kb", 64 * 2**10),
        ("2T", 2**41),
        ("0G", 0),
        ("", 4 * 2**30),
    ],
)
def test_sizes(monkeypatch, told, size):
    monkeypatch.setenv(VARIABLE, told)
    assert cache_limit() == size


def test_nothing_said_is_four_gib(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert cache_limit() == 4 * 2**30


@pytest.mark.parametrize("told", ["8", "lots", "-1G", "8 G B", "1e3M", "G", "٨G", "1234567890G", "8G 8G"])
def test_nonsense_is_refused(monkeypatch, told):
    monkeypatch.setenv(VARIABLE, told)
    with pytest.raises(InputError, match=r"GHOSTFACE_EDGE_CACHE_LIMIT is '.*', which is no size") as refused:
        cache_limit()
    assert "8G or 500M" in refused.value.fix


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (3 * 2**29, "1.5 GiB"), (2**41, "2.0 TiB")],
)
def test_size_text(size, text):
    assert size_text(size) == text
