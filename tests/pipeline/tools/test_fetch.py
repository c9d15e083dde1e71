import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ghostface_edge.pipeline.support.seal import Seal
from ghostface_edge.pipeline.tools import fetch as fetching
from ghostface_edge.pipeline.tools.sources import Source, find
from ghostface_edge.reports.errors import InputError, ToolError

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def fetch(source: Source, *, cache: Path, **options: Any) -> Path:
    return fetching.fetch(source, cache=cache, seal=Seal(bytes(32)), **options)


class Server:
    """Serves CONTENT, from the byte that is asked for; remembers what was asked."""

    def __init__(self, *, ranges: bool = True) -> None:
        asked: list[str | None] = []
        self.limit: int | None = None
        """Bytes after which the connection breaks."""
        self.says_length = True
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                asked.append(wanted)
                start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and ranges else 0
                if self.path != "/net.h5":
                    self.send_error(404)
                elif start >= len(CONTENT):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                    self.end_headers()
                else:
                    self.send_response(206 if start else 200)
                    if server.says_length:
                        self.send_header("Content-Length", str(len(CONTENT) - start))
                    self.end_headers()
                    self.wfile.write(CONTENT[start:][: server.limit])

            def log_message(self, *_: object) -> None:
                pass

        self.asked = asked
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}/net.h5"


@pytest.fixture(params=[True, False], ids=["ranges", "no ranges"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(ranges=request.param)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


def test_a_file_is_fetched_once(server: Server, tmp_path: Path) -> None:
    source, said = Source("net.h5", server.address, DIGEST, "a net"), []
    for _ in range(2):
        path = fetch(source, cache=tmp_path / "cache", say=said.append)
        assert path.read_bytes() == CONTENT
    assert server.asked == [None]
    assert "there already" in said[-1]
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["net.h5"]


@pytest.mark.parametrize("have", [1, 5000, len(CONTENT)])
def test_a_broken_download_goes_on(server: Server, tmp_path: Path, have: int) -> None:
    (tmp_path / "net.h5.partial").write_bytes(CONTENT[:have])
    path = fetch(Source("net.h5", server.address, DIGEST, "a net"), cache=tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [f"bytes={have}-"]


@pytest.mark.parametrize("digest", [DIGEST, None])
def test_a_truncated_download_is_not_accepted_and_gone_on_from_if_its_digest_is_known(
    server: Server, tmp_path: Path, digest: str | None
) -> None:
    source = Source("net.h5", server.address, digest, "a net")
    server.limit = 4000
    with pytest.raises(ToolError, match="sent 4,000 of 10,240 bytes"):
        fetch(source, cache=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["net.h5.partial"]
    server.limit = None
    assert fetch(source, cache=tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == (None if digest is None else "bytes=4000-")


@pytest.mark.parametrize("change", ["file", "seal", "no seal", "both"])
def test_a_file_of_unknown_digest_is_used_again_only_if_a_fetch_brought_it(
    server: Server, tmp_path: Path, change: str
) -> None:
    source, said = Source("net.h5", server.address, None, "a net"), []
    path, signature = fetch(source, cache=tmp_path), tmp_path / ".net.h5.seal"
    assert fetch(source, cache=tmp_path) == path
    assert len(server.asked) == 1
    if change in ("file", "both"):
        path.write_bytes(b"evil".ljust(len(CONTENT)))
    if change in ("seal", "both"):
        evil = hashlib.sha256(path.read_bytes()).hexdigest()
        signature.write_text(Seal(b"x" * 32).sign("download", "net.h5", evil))
    if change == "no seal":
        signature.unlink()
    assert fetch(source, cache=tmp_path, say=said.append).read_bytes() == CONTENT
    assert len(server.asked) == 2
    assert "is not used: its digest is not known" in said[0]
    fetch(source, cache=tmp_path)
    assert len(server.asked) == 2


def test_without_a_length_and_a_digest_nothing_is_accepted(server: Server, tmp_path: Path) -> None:
    server.says_length = False
    with pytest.raises(ToolError, match="nothing tells whether"):
        fetch(Source("net.h5", server.address, None, "a net"), cache=tmp_path)
    assert fetch(Source("net.h5", server.address, DIGEST, "a net"), cache=tmp_path).read_bytes() == CONTENT


def test_more_than_there_is_starts_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.h5.partial").write_bytes(CONTENT + b"more")
    assert fetch(Source("net.h5", server.address, DIGEST, "a net"), cache=tmp_path).read_bytes() == CONTENT


def test_another_size_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="sends more than 3 bytes"):
        fetch(Source("net.h5", server.address, None, "a net", 3), cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="not the published file"):
        fetch(Source("net.h5", server.address, "0" * 64, "a net"), cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_cache_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.h5").write_bytes(b"damaged")
    assert fetch(Source("net.h5", server.address, DIGEST, "a net"), cache=tmp_path).read_bytes() == CONTENT


def test_without_a_known_digest_it_is_said(server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    fetch(Source("net.h5", server.address, None, "a net"), cache=tmp_path, say=said.append)
    assert DIGEST in said[-1]
    assert "nothing known to compare it with" in said[-1]


def test_a_missing_page_is_an_error_of_the_address(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="404"):
        fetch(Source("net.h5", server.address + "x", DIGEST, "a net"), cache=tmp_path)


def test_offline_it_says_what_to_put_where(tmp_path: Path) -> None:
    closed = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    address = f"http://127.0.0.1:{closed.server_port}/net.h5"
    closed.server_close()
    with pytest.raises(InputError, match="cannot be fetched") as caught:
        fetch(Source("net.h5", address, DIGEST, "a net"), cache=tmp_path)
    assert address in caught.value.fix
    assert "as net.h5 and name its folder with --from" in caught.value.fix


def test_a_mirror_replaces_the_network(tmp_path: Path) -> None:
    mirror, cache = tmp_path / "mirror", tmp_path / "cache"
    mirror.mkdir()
    source = Source("net.h5", "https://example.invalid/net.h5", DIGEST, "a net")
    with pytest.raises(InputError, match=r"holds no net\.h5"):
        fetch(source, cache=cache, mirror=mirror)
    (mirror / "net.h5").write_bytes(CONTENT)
    assert fetch(source, cache=cache, mirror=mirror).read_bytes() == CONTENT
    assert fetch(source, cache=cache).read_bytes() == CONTENT


def test_what_was_never_published_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights of V2 have been published"):
        fetch(find("v2-1.3-1"), cache=tmp_path)


def test_the_checkpoint_at_hand_is_the_published_one(assets: Path, tmp_path: Path) -> None:
    path = fetch(find("v1-0.5-2"), cache=tmp_path, mirror=assets / "checkpoints")
    assert path.stat().st_size == 3_833_672


def test_a_mirror_holds_files_of_the_published_size(tmp_path: Path) -> None:
    mirror, cache = tmp_path / "mirror", tmp_path / "cache"
    mirror.mkdir()
    source = Source("net.h5", "http://127.0.0.1/net.h5", None, "a test file", size_bytes=10)
    (mirror / "net.h5").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="a device"):
        fetch(source, cache=cache, mirror=mirror)
    (mirror / "net.h5").unlink()
    (mirror / "net.h5").write_bytes(bytes(11))
    with pytest.raises(InputError, match="more than the 10"):
        fetch(source, cache=cache, mirror=mirror)
    assert not cache.exists()
