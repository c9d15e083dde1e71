"""Pages that the code writes, while MkDocs builds the site: nothing of them is kept.

Command line, report and policy are whole pages; messages go where the troubleshooting page says
`<!-- messages: TOPIC -->`; decisions are put into the navigation, and pages come from the top of the repository.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import cli_page
import error_tables
import schema_pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "reference/cli.md": cli_page.page,
        "reference/report.md": schema_pages.report_page,
        "reference/policy.md": schema_pages.policy_page,
    }
)
OUTSIDE: Mapping[str, str] = MappingProxyType(
    {"changes.md": "CHANGELOG.md", "security.md": "SECURITY.md", "contributing.md": "CONTRIBUTING.md"}
)
"""Pages that lie at the top of the repository."""
DECISIONS = "decisions"
"""What stands in the navigation for all of them."""
_MARK = re.compile(r"<!-- messages: ([\w-]+) -->")
_EXIT_CODES: Mapping[str, int] = MappingProxyType({"InputError": 2})
"""3 for every other kind."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every decision into the navigation, by number."""
    docs = Path(config.docs_dir)
    rows: list[dict[str, str]] = []
    for path in sorted((docs / DECISIONS).glob("*.md")):
        title = re.sub(r"^# (\d+\. )?", "", path.read_text(encoding="utf-8").partition("\n")[0])
        rows.append({f"{int(path.name[:4])} · {title}": path.relative_to(docs).as_posix()})
    for part in config.nav or ():
        for pages in part.values():
            for entry in pages if isinstance(pages, list) else ():
                if isinstance(entry, dict) and entry.get("Decisions") == DECISIONS:
                    entry["Decisions"] = rows
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    top = Path(config.docs_dir).parent
    for path, text in {
        **{path: make() for path, make in PAGES.items()},
        **{path: _moved((top / source).read_text(encoding="utf-8")) for path, source in OUTSIDE.items()},
    }.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """List the messages of each topic where the page wants them."""
    if not _MARK.search(markdown):
        return markdown
    found = error_tables.messages()
    return _MARK.sub(lambda mark: "\n\n".join(map(_entry, found.get(mark[1], ()))), markdown)


def _entry(message: error_tables.Message) -> str:
    """A message, and under it how to mend it."""
    fix = _mixed(message.fix) if message.fix else "the fix that is printed with it fits the file"
    return f"`` {message.text} ``\n:   {fix} <small>exit code {_EXIT_CODES.get(message.kind, 3)}</small>"


def _mixed(text: str) -> str:
    """Text with code in it: what is no code holds no Markdown."""
    code = text.split("`")
    return "".join(
        f"`{part}`" if number % 2 else re.sub(r"([\\*_<\[#|])", r"\\\1", part) for number, part in enumerate(code)
    )


def _moved(markdown: str) -> str:
    """Links of a page at the top of the repository, as from within docs/."""
    return re.sub(
        r"\]\(docs/decisions\)", "](decisions/0001-an-exporter-of-our-own.md)", markdown.replace("](docs/", "](")
    ).replace("](SECURITY.md", "](security.md")
