"""Hostile folders of CFP and of people, and what `match` compares: photographs, folders, films, and the run it asks."""

import json
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import faces, good
from .case import PLACES, Case, Content, Door, cut, later, link, sparse, tree

_NET = {"net.onnx": later(good.onnx_model)}
CFP = Door("cfp", ("evaluate", "net.onnx", "--pairs", "cfp"), _NET)
_JOB = (
    "run",
    "--checkpoint",
    "net.safetensors",
    "--calibration",
    "faces",
    "--targets",
    "onnxruntime-int8",
    "--out",
    "out",
)
_RUN = {"net.safetensors": later(good.safetensors), "faces": tree(good.photographs())}
RUN_CFP = Door("cfp", (*_JOB, "--pairs", "cfp"), _RUN)
RUN_GALLERY = Door(
    "people", (*_JOB, "--pairs", "faces.bin", "--gallery", "people"), {**_RUN, "faces.bin": later(good.faces_bin)}
)
GALLERY = Door("people", ("evaluate", "net.onnx", "--gallery", "people"), _NET)
_MATCHED = {**_NET, "detector.onnx": later(good.detector), "a.png": good.image(1, 160), "b.png": good.image(2, 160)}
_WITH = ("--model", "net.onnx", "--detector", "detector.onnx")
FIRST = Door("a.png", ("match", "a.png", "b.png", *_WITH), _MATCHED)
SECOND = Door("b.png", FIRST.arguments, _MATCHED)
ALBUM = Door("album", ("match", "a.png", "album", *_WITH), _MATCHED)
FILM = Door("film.mp4", ("match", "a.png", "--video", "film.mp4", *_WITH), _MATCHED)
RUN = Door("run", ("match", "a.png", "b.png", "--run", "run", "--detector", "detector.onnx"), _MATCHED)
FOUND = Door("detector.onnx", FIRST.arguments, _MATCHED)
MODEL = Door("net.onnx", FIRST.arguments, _MATCHED)
ANSWERED = frozenset({2, 4})
"""Of `match` with a model that no run knows: an answer has no threshold."""
_ODD = {
    "a-newline": "x\n::error::PWNED",
    "escapes": "x\x1b[31m",
    "no-utf-8": os.fsdecode(b"x\xff"),
    "another-direction": "x\u202egnp",
    "markup": "[red]x[bold]",
    "the-look-of-an-option": "--help",
    "quotes": "\"'<script>alert(1)",
}
"""Names of files."""


def cases() -> Iterator[Case]:
    """All of this part."""
    yield from _cfp()
    yield from _galleries()
    yield from _photographs()
    yield from _albums()
    yield from _films()
    yield from _runs()


def _cfp() -> Iterator[Case]:
    whole = good.cfp()
    frontal, split, picture = "Protocol/Pair_list_F.txt", "Protocol/Split/FP/01", "Data/Images/001/frontal/01.jpg"
    listed = whole[frontal]
    lists: dict[str, Content] = {
        "a-path-that-climbs": listed.replace(b"001/frontal/01", b"../../../etc/passwd"),
        "a-person-of-dots": listed.replace(b"Images/001", b"Images/.."),
        "an-absolute-path": listed.replace(b"../Data/Images/001/frontal", b"/etc/ssl/certs"),
        "a-number-of-5000-digits": listed.replace(b"1 ", b"9" * 5000 + b" ", 1),
        "a-number-twice": listed + listed,
        "numbers-from-zero": listed.replace(b"1 ", b"0 ", 1),
        "a-name-with-escapes": listed.replace(b"001", b"\x1b[31m001"),
        "a-name-with-a-line-separator": listed.replace(b"001", "\u2028::error::PWNED".encode()),
        "a-name-with-a-zero-byte": listed.replace(b"001", b"\0"),
        "latin-1": listed.replace(b"001", b"\xe9"),
        "utf-16": listed.decode().encode("utf-16"),
        "two-million-bad-lines": b"x\n" * 2_000_000,
        "a-line-of-4-megabytes": b"1 " + b"x/" * 2_000_000,
        "a-line-of-spaces": b"1" + b" " * 4_000_000 + b"x",
        "a-file-of-5-megabytes": bytes(5 << 20),
        "no-lines": b"",
        **cut(listed, (0.5,)),
        **{name: PLACES[name] for name in ("pipe", "endless-device", "folder", "link-to-itself", "8-gib")},
    }
    for name, content in lists.items():
        yield CFP.case(f"cfp/images-with-{name}", tree({**whole, frontal: content}))
    pairs: dict[str, Content] = {
        "numbers-of-5000-digits": b"9" * 5000 + b",1\n",
        "a-person-with-another": b"1,1\n2,2\n1,2\n",
        "numbers-that-are-not-listed": b"1,1\n2,2\n77,1\n",
        "negative-numbers": b"-1,-1\n",
        "two-million-bad-lines": b"x\n" * 2_000_000,
        "a-million-pairs": b"1,1\n" * 1_000_000,
        "a-split-of-another-size": b"1,1\n2,2\n3,3\n4,4\n",
        "a-line-with-escapes": b"\x1b]0;x\x07,1\n",
        **{name: PLACES[name] for name in ("pipe", "endless-device", "folder", "dangling-link")},
    }
    for name, content in pairs.items():
        yield CFP.case(f"cfp/pairs-with-{name}", tree({**whole, f"{split}/same.txt": content}))
    pictures: dict[str, Content] = {
        "pipe": os.mkfifo,
        "endless-device": link("/dev/zero"),
        "8-gib": sparse(8 << 30),
        "folder": lambda path: path.mkdir(),
        "dangling-link": link("nowhere"),
        "noise": PLACES["noise"],
        "a-png-of-65535-squared": faces.png(65_535, 65_535),
    }
    for name, content in pictures.items():
        yield CFP.case(f"cfp/a-picture-that-is-{name}", tree({**whole, picture: content}))

    def without(*starts: str) -> dict[str, Content]:
        return {name: content for name, content in whole.items() if not name.startswith(starts)}

    many = {f"Protocol/Split/FP/{number}/{name}.txt": b"1,1\n" for number in range(3, 400) for name in ("same", "diff")}
    folders: dict[str, Content] = {
        "no-splits": tree(without("Protocol/Split")),
        "one-split": tree(without("Protocol/Split/FP/02")),
        "400-splits": tree({**whole, **many}),
        "splits-that-are-a-pipe": tree({**without("Protocol/Split"), "Protocol/Split": os.mkfifo}),
        "splits-in-a-ring": tree({**without("Protocol/Split"), "Protocol/Split": link(".")}),
        "no-images": tree(without("Data")),
        "images-that-are-a-pipe": tree({**without("Data"), "Data": os.mkfifo}),
        "images-in-a-ring": tree({**without("Data"), "Data/Images": link(".")}),
        "a-person-whose-name-is-no-utf-8": tree({**whole, f"Data/Images/{_ODD['no-utf-8']}/frontal/01.jpg": b"x"}),
        "nothing-but-a-protocol": tree({"Protocol": tree({})}),
    }
    for name, content in folders.items():
        yield CFP.case(f"cfp/{name}", content)
    for name, written in _ODD.items():
        if name != "the-look-of-an-option":
            yield CFP.renamed(written).case(f"cfp/a-folder-called-{name}", tree(without("Data")))
    for name in ("one-split", "images-in-a-ring", "splits-that-are-a-pipe"):
        yield RUN_CFP.case(f"cfp/run-with-{name}", folders[name])
    yield RUN_CFP.case("cfp/run-with-a-picture-of-noise", tree({**whole, picture: PLACES["noise"]}))
    door = Door(
        "cfp",
        (*CFP.arguments, "--reference", "net.onnx", "--groups", "people.csv"),
        {**CFP.around, "people.csv": os.mkfifo},
    )
    yield door.case("cfp/groups-that-are-a-pipe", tree(whole))


def _galleries() -> Iterator[Case]:
    whole = good.photographs()
    first = good.PEOPLE[0]
    picture = f"{first}/{first}_0001.png"
    contents: dict[str, Content] = {
        "of-nothing": tree({}),
        "of-text-files": tree({"A/a.txt": b"hello"}),
        "of-folders-named-png": tree({"A/x.png/y.txt": b"hello"}),
        "of-pipes": tree({f"A/A_{number}.png": os.mkfifo for number in range(3)}),
        "of-links-in-a-ring": tree({"A": link("B"), "B": link("A")}),
        "with-a-picture-that-is-a-pipe": tree({**whole, picture: os.mkfifo}),
        "with-a-picture-that-is-a-device": tree({**whole, picture: link("/dev/zero")}),
        "with-a-picture-of-8-gib": tree({**whole, picture: sparse(8 << 30)}),
        "with-a-picture-of-noise": tree({**whole, picture: PLACES["noise"]}),
        "with-a-picture-of-65535-squared": tree({**whole, picture: faces.png(65_535, 65_535)}),
        "with-a-picture-of-another-size": tree({**whole, picture: good.image(1, 64)}),
        "of-50000-empty-files": tree({f"A/A_{number:05d}.png": b"" for number in range(50_000)}),
        "of-one-picture": tree({"A/a.png": good.image(1)}),
        "of-one-person": tree({f"A/{number}.png": good.image(number) for number in range(4)}),
        "of-one-picture-under-two-names": tree({"A/a.png": good.image(1), "B/b.png": good.image(1)}),
        "of-people-with-one-picture-each": tree({f"{number}/a.png": good.image(number) for number in range(4)}),
    }
    judged = {"of-one-picture", "of-one-person", "of-one-picture-under-two-names", "of-people-with-one-picture-each"}
    judged |= {"with-a-picture-that-is-a-pipe", "with-a-picture-that-is-a-device"}
    for name, content in contents.items():
        may = frozenset({0, 2}) if name in judged else frozenset({2})
        yield GALLERY.case(
            f"gallery/{name}",
            content,
            allowed=may,
            why="what is no file is no picture, and what cannot be told of few is said" if 0 in may else "",
        )
    for name, written in _ODD.items():
        person = tree({**whole, f"{written}/a.png": b"no picture"})
        yield GALLERY.case(f"gallery/a-person-called-{name}", person)
    for name, content in PLACES.items():
        yield GALLERY.case(f"gallery/{name}", content)
    for name in ("of-pipes", "with-a-picture-of-noise", "of-one-picture-under-two-names", "of-links-in-a-ring"):
        yield RUN_GALLERY.case(f"gallery/run-with-one-{name}", contents[name])
    skip = Door("people", (*GALLERY.arguments, "--on-bad-image", "skip"), GALLERY.around)
    yield skip.case("gallery/of-pipes-to-be-skipped", contents["of-pipes"])


def _photographs() -> Iterator[Case]:
    pictures: dict[str, Content] = {
        "a-png-of-65535-squared": faces.png(65_535, 65_535),
        "a-png-of-nothing": faces.png(0, 0),
        "a-png-of-1-by-60000": faces.png(1, 60_000),
        "cut": good.image(1, 160, ".jpg")[:900],
        "text": b"hello",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "a-film": later(good.film),
    }
    for name, content in (pictures | PLACES).items():
        yield FIRST.case(f"match/first-{name}", content, quick=name in {"pipe", "endless-device"})
        yield SECOND.case(f"match/second-{name}", content)
    for name, written in _ODD.items():
        file = f"{written}.png"
        arguments = ("match", "a.png", *_WITH, "--", file)
        yield Case(f"match/second-called-{name}", arguments, {**_MATCHED, file: b"no picture"})
        yield Case(
            f"match/second-called-{name}-and-whole",
            arguments,
            {**_MATCHED, file: good.image(2, 160)},
            allowed=ANSWERED,
            why="the photograph is whole; what counts is what is printed",
        )
    yield Case("match/with-itself", ("match", "a.png", "a.png", *_WITH), _MATCHED)
    yield Case("match/a-link-to-itself", ("match", "a.png", "c.png", *_WITH), {**_MATCHED, "c.png": link("a.png")})
    for name in ("pipe", "endless-device", "noise", "8-gib"):
        yield FOUND.case(f"match/detector-{name}", PLACES[name])
        yield MODEL.case(f"match/model-{name}", PLACES[name])
    yield FOUND.case("match/detector-that-is-another-network", later(good.onnx_model))
    for name in ("folder", "pipe", "link-to-itself", "endless-device"):
        shown = Door("shown.html", (*FIRST.arguments, "--show", "shown.html"), _MATCHED)
        may = ANSWERED if name != "folder" else frozenset({2})
        why = "what is no folder may be replaced" if 4 in may else ""
        yield shown.case(f"match/shown-onto-{name}", PLACES[name], allowed=may, why=why)


def _albums() -> Iterator[Case]:
    whole = {"x.png": good.image(3, 160), "A/y.png": good.image(4, 160)}
    albums: dict[str, Content] = {
        "empty": tree({}),
        "of-text-files": tree({"a.txt": b"hello"}),
        "of-pipes": tree({f"{number}.png": os.mkfifo for number in range(3)}),
        "of-devices": tree({"x.png": link("/dev/zero")}),
        "of-8-gib": tree({"x.png": sparse(8 << 30)}),
        "of-links-in-a-ring": tree({"A": link("B"), "B": link("A")}),
        "of-dangling-links": tree({"x.png": link("nowhere")}),
        "of-20000-empty-files": tree({f"{number:05d}.png": b"" for number in range(20_000)}),
    }
    for name, content in albums.items():
        yield ALBUM.case(f"match/album-{name}", content)
    mixed: dict[str, Content] = {
        "with-a-pipe": {**whole, "z.png": os.mkfifo},
        "with-a-device": {**whole, "z.png": link("/dev/zero")},
        "with-a-bomb": {**whole, "z.png": faces.png(65_535, 65_535)},
        "with-itself-in-it": {**whole, "z": link(".")},
        **{f"with-a-file-called-{name}": {**whole, f"{written}.png": b"no picture"} for name, written in _ODD.items()},
        **{
            f"with-a-person-called-{name}": {**whole, f"{written}/z.png": good.image(5, 160)}
            for name, written in _ODD.items()
        },
    }
    for name, files in mixed.items():
        for more in ((), ("--json",), ("--show", "shown.html")):
            door = Door("album", (*ALBUM.arguments, *more), _MATCHED)
            label = "".join(more[:1])
            if not more or "called" in name:
                yield door.case(
                    f"match/album-{name}{label}", tree(files), allowed=ANSWERED, why="what cannot be used is left out"
                )


def _films() -> Iterator[Case]:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n%s\n#EXT-X-ENDLIST\n"
    listed = b"ffconcat version 1.0\nfile other.mp4\n"
    films: dict[str, Content] = {
        "text": b"hello",
        "a-list-of-another": listed,
        "a-playlist-of-another": playlist % b"other.mp4",
        "a-playlist-of-an-address": playlist % b"http://127.0.0.1:9/x.ts",
        "a-manifest-of-another": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>other.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>',
        "a-session": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "a-script": b'#~ avisynth\nDirectShowSource("other.mp4")\n',
        "a-picture": good.image(1, 160),
        "frames-of-65535-squared": later(
            lambda: good.film().replace(struct.pack(">HH", 112, 112), b"\xff\xff\xff\xff")
        ),
        "a-box-of-an-exabyte": later(lambda: b"\0\0\0\1ftyp" + b"\x7f" * 8 + good.film()),
        "a-million-boxes": b"\0\0\0\x08free" * 1_000_000,
        "boxes-within-boxes": b"\0\x0f\0\0moov" * 100_000,
    }
    for name, content in (films | {"cut": later(lambda: good.film()[:600])} | PLACES).items():
        files = {**FILM.around, "other.mp4": later(good.film)}
        may = ANSWERED if name.startswith("frames") else frozenset({2})
        why = "a frame is as large as it says itself" if 4 in may else ""
        door = Door("film.mp4", FILM.arguments, files)
        yield door.case(f"match/film-{name}", content, allowed=may, why=why, quick=name == "pipe")
    for name, suffix in {
        "a-list-of-another": ".ffconcat",
        "a-playlist-of-another": ".m3u8",
        "a-session": ".sdp",
    }.items():
        door = Door("film.mp4", FILM.arguments, {**FILM.around, "other.mp4": later(good.film)}).renamed(f"film{suffix}")
        yield door.case(f"match/film-{name}-by-its-name", films[name])
    for name, written in {**_ODD, "a-protocol": "concat:other.mp4|other", "a-pattern": "%d"}.items():
        file = f"{written}.mp4"
        arguments = ("match", "a.png", f"--video={file}", *_WITH)
        yield Case(
            f"match/film-called-{name}",
            arguments,
            {**_MATCHED, file: later(good.film)},
            allowed=ANSWERED,
            why="the film is whole; what counts is what is printed",
        )


def _runs() -> Iterator[Case]:
    def changed(change: Callable[[Path, dict[str, Any]], object]) -> Content:
        def make(path: Path) -> None:
            good.run_folder(path)
            report = json.loads((path / "report.json").read_text())
            change(path, report)
            if not os.path.lexists(path / "report.json") or (path / "report.json").stat().st_size:
                (path / "report.json").write_text(json.dumps(report))

        return make

    def model_at(name: str) -> Content:
        return changed(lambda path, report: report["variants"][1]["artifact"].update(path=name))

    def model(content: Content) -> Content:
        def change(path: Path, report: dict[str, Any]) -> None:
            place = path / report["variants"][1]["artifact"]["path"]
            place.unlink()
            place.write_bytes(content) if isinstance(content, bytes) else content(place)

        return changed(change)

    runs: dict[str, Content] = {
        "whose-model-is-none": good.run_folder,
        "whose-model-is-at-etc-passwd": model_at("/etc/passwd"),
        "whose-model-climbs": model_at("../../../../etc/passwd"),
        "whose-model-is-an-endless-device": model_at("/dev/zero"),
        "whose-model-has-a-newline": model_at("models/x\n::error::PWNED"),
        "whose-model-has-escapes": model_at("models/x\x1b[31m"),
        "whose-model-has-half-a-surrogate": model_at("models/\ud800"),
        "whose-model-has-a-zero-byte": model_at("models/\0"),
        "whose-model-is-a-pipe": model(os.mkfifo),
        "whose-model-is-a-device": model(link("/dev/zero")),
        "whose-model-is-of-8-gib": model(sparse(8 << 30)),
        "whose-model-is-another": model(later(good.onnx_model)),
        "of-fp32-only": changed(lambda path, report: report["variants"].pop(1)),
        "of-a-runtime-of-nobody": changed(lambda path, report: report["variants"][1].update(id="evil-int8", runtime="evil")),
        "of-a-runtime-with-a-newline": changed(lambda path, report: report["variants"][1].update(id="x\n::error::PWNED-int8", runtime="x\n::error::PWNED")),
    }  # fmt: skip
    for name, content in runs.items():
        yield RUN.case(f"match/a-run-{name}", content)
    for name, content in PLACES.items():
        yield RUN.case(f"match/run-{name}", content)
        yield RUN.case(f"match/report-{name}", tree({"report.json": content}))
    beside = {**_MATCHED, "run/models/net.onnx": later(good.onnx_model)}
    arguments = ("match", "a.png", "b.png", "--model", "run/models/net.onnx", "--detector", "detector.onnx")
    for name in ("pipe", "endless-device", "folder", "noise", "dangling-link"):
        door = Door("run/report.json", arguments, beside)
        # what is no file is no report: the model is one that no run knows
        may = ANSWERED if name in {"pipe", "endless-device", "folder", "dangling-link"} else frozenset({2})
        yield door.case(
            f"match/report-beside-the-model-{name}",
            PLACES[name],
            allowed=may,
            why="no report, no threshold" if 4 in may else "",
        )
