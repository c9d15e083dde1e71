"""The built site, as a reader's browser takes it: links that lead somewhere, nothing fetched, no large pages.

python docs/generate/check.py out/site
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

MOST_BYTES = 300_000
_FETCHED = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src", "object": "data"}


class _Tags(HTMLParser):
    """Names, links and what a browser fetches by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.names = {"", "__top"}
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.names |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if place := found.get(_FETCHED.get(tag, "")):
            (self.links if found.get("rel") in {"canonical", "next", "prev"} else self.fetched).append(place)


@cache
def _read(page: Path) -> _Tags:
    tags = _Tags()
    tags.feed(page.read_text(encoding="utf-8"))
    return tags


def faults(site: Path) -> Iterator[str]:
    """Everything that is wrong, a line each."""
    pages = [page for page in sorted(site.rglob("*.html")) if page.name != "404.html"]
    for page in pages:
        name = page.relative_to(site)
        if (size := page.stat().st_size) > MOST_BYTES:
            yield f"{name}: {size:,} bytes, more than {MOST_BYTES:,}"
        tags = _read(page)
        yield from (f"{name}: fetches {place}" for place in tags.fetched if urlsplit(place).netloc)
        for link in {*tags.links, *tags.fetched}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = page.parent / unquote(parts.path) if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{name}: {link} leads nowhere"
            elif target.suffix == ".html" and unquote(parts.fragment) not in _read(target.resolve()).names:
                yield f"{name}: {link} has no such place on its page"
    for style in site.rglob("*.css"):
        for place in re.findall(r"url\([\"']?(?:https?:)?//[^)]*|@import[^;]*", style.read_text(encoding="utf-8")):
            yield f"{style.relative_to(site)}: fetches {place}"


def main(arguments: list[str]) -> int:
    """Print faults; 1 if there are any."""
    (folder,) = arguments
    site = Path(folder).resolve()
    found = list(faults(site))
    pages = {page: page.stat().st_size for page in site.rglob("*.html")}
    links = sum(len(_read(page).links) for page in pages)
    largest = max(pages, key=lambda page: pages[page])
    for fault in found:
        print(fault)
    size = f"largest: {largest.relative_to(site)}, {pages[largest]:,} bytes"
    print(f"{len(pages)} pages, {links:,} links, {len(found)} faults; {size}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
