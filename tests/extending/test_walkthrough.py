"""`docs/extending.md` shows the code of the tests, letter for letter, and counts no more files than allowed."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parent / "docs/extending.md").read_text()
MOST_FILES = {"runtime": 3, "stage": 3, "report section": 3, "checkpoint format": 2, "place to run": 2}


def test_every_block_of_code_is_run_by_a_test():
    code = [path.read_text() for path in (*TESTS.glob("extending/*.py"), TESTS / "reports/test_section.py")]
    blocks = re.findall(r"```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 2 * len(MOST_FILES) - 2
    assert [block for block in blocks if not any(block in text for text in code)] == []


def test_every_addition_touches_few_files():
    counts = {name: int(count) for name, count in re.findall(r"^\| ([a-z ]+) \| (\d) \|", PAGE, re.MULTILINE)}
    assert counts.keys() == MOST_FILES.keys()
    assert all(counts[name] <= most for name, most in MOST_FILES.items())
