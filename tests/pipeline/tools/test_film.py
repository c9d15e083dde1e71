"""Videos of strangers: what holds its pictures itself is read, what leads to another file is not."""

import pytest

from ghostface_edge.calibration.detector import Choice
from ghostface_edge.pipeline.tools.film import Film
from ghostface_edge.reports.errors import InputError

from ...hostile import good

LISTS = {
    "film.ffconcat": b"ffconcat version 1.0\nfile other.mp4\n",
    "film.mp4": b"ffconcat version 1.0\nfile other.mp4\n",
    "film.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
}


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Open a film beside another one; returns how many frames it has."""
    monkeypatch.delenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", raising=False)
    (tmp_path / "detector.onnx").write_bytes(good.detector())
    (tmp_path / "other.mp4").write_bytes(good.film())
    return lambda name: Film(tmp_path).open_file(tmp_path / name, tmp_path / "detector.onnx", Choice.LARGEST)


def test_a_film_is_read(opened):
    assert opened("other.mp4") == 3


@pytest.mark.parametrize("name", LISTS)
def test_no_file_leads_to_another(opened, tmp_path, name):
    (tmp_path / name).write_bytes(LISTS[name])
    with pytest.raises(InputError, match="cannot be opened as a video"):
        opened(name)
