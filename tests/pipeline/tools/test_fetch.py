import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ghostface_edge.pipeline.tools.fetch import KNOWN, Source, fetch, find
from ghostface_edge.reports.errors import InputError, ToolError

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Serves CONTENT, from the byte that is asked for; remembers what was asked."""

    def __init__(self, *, ranges: bool = True) -> None:
        asked: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                asked.append(wanted)
                start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and ranges else 0
                if self.path != "/net.h5":
                    self.send_error(404)
                elif start >= len(CONTENT):
                    self.send_error(416)
                else:
                    self.send_response(206 if start else 200)
                    self.send_header("Content-Length", str(len(CONTENT) - start))
                    self.end_headers()
                    self.wfile.write(CONTENT[start:])

            def log_message(self, *_: object) -> None:
                pass

        self.asked = asked
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}/net.h5"


@pytest.fixture(params=[True, False], ids=["ranges", "no ranges"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(ranges=request.param)
    thread = threading.Thread(target=server.http.serve_forever)
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
    with pytest.raises(InputError, match="cannot be reached") as caught:
        fetch(Source("net.h5", address, DIGEST, "a net"), cache=tmp_path)
    assert address in caught.value.fix
    assert str(tmp_path / "net.h5") in caught.value.fix


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


def test_names_are_unique_and_a_typo_gets_a_suggestion() -> None:
    assert len({source.file for source in KNOWN.values()}) == len(KNOWN)
    with pytest.raises(InputError) as caught:
        find("v1-0.5-3")
    assert caught.value.fix == "did you mean 'v1-0.5-2'?"


def test_known_addresses_are_the_official_ones() -> None:
    for source in KNOWN.values():
        assert source.address is None or source.address.startswith("https://")
        assert source.sha256 is None or len(source.sha256) == 64


def test_the_checkpoint_at_hand_is_the_published_one(assets: Path, tmp_path: Path) -> None:
    path = fetch(find("v1-0.5-2"), cache=tmp_path, mirror=assets / "checkpoints")
    assert path.stat().st_size == 3_833_672
