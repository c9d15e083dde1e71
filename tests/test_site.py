"""The documentation site has every verb, every error and every page; `nox -s docs` builds it."""

import re
import sys
from pathlib import Path

import pytest

from ghostface_edge.reports.error_topics import TOPICS

DOCS = Path(__file__).resolve().parents[1] / "docs"
TROUBLESHOOTING = (DOCS / "troubleshooting/index.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def generators():
    """Modules of docs/generate import each other by name, as MkDocs has it."""
    sys.path.insert(0, str(DOCS / "generate"))
    yield
    sys.path.remove(str(DOCS / "generate"))


def test_every_verb_is_in_the_reference():
    import cli_page

    verbs = cli_page.verbs()
    assert {"run", "gate", "verify"} <= {*verbs}
    assert re.findall(r"^## (.+) \{#", cli_page.page(), re.MULTILINE) == verbs


def test_every_error_has_a_topic_and_every_topic_a_section():
    import error_tables

    found = error_tables.messages()
    assert found.keys() <= TOPICS, [message.modules for message in found.get("", ())]
    assert re.findall(r"^<!-- messages: (\S+) -->$", TROUBLESHOOTING, re.MULTILINE) == re.findall(
        r"^## .* \{#(\S+)\}$", TROUBLESHOOTING, re.MULTILINE
    )
    assert {*re.findall(r"\{#(\S+)\}$", TROUBLESHOOTING, re.MULTILINE)} == TOPICS


def test_messages_are_found_through_constants_variables_and_helpers():
    import error_tables

    found = {message.text: message for rows in error_tables.messages().values() for message in rows}
    assert found["holds no model_weights"].fix.startswith("give a GhostFaceNet saved by Keras 2")
    assert found["an argument is empty"].kind == "InputError"
    assert len(found) > 300


def test_every_name_of_the_package_is_on_its_page():
    import ghostface_edge

    page = (DOCS / "reference/python.md").read_text(encoding="utf-8")
    assert {*re.findall(r"^::: ghostface_edge\.(\w+)$", page, re.MULTILINE)} == {*ghostface_edge.__all__}


def test_every_page_is_in_the_navigation():
    navigation = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    named = {*re.findall(r"[\w/-]+\.md", navigation)}
    assert {page for page in pages - named if not page.startswith("decisions/")} == set()
    assert navigation.rstrip().endswith("- Decisions: decisions")
