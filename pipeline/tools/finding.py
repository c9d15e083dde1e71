"""What `doctor` found, one thing at a time, and how it is told: to people, to programs, in an issue.

None of it names a person: a path below the user's home begins with `~`, and a folder of the user's name is `USER`.
"""

import getpass
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from ghostface_edge.reports.printable import printable

ISSUE_HEAD: Final = "For an issue, paste what follows:"


_IN_PACKAGES: Final = "extras"
"""What an issue has in its list of packages anyway."""


class State(StrEnum):
    """Of one thing."""

    OK = "ok"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: of it.
        state: whether it can be used.
        says: a line about it.
        fix: how to mend it, where it has to be.
        is_core: whether nothing works without it.
        facts: JSON values, for programs.
    """

    name: str
    state: State
    says: str
    fix: str = ""
    is_core: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examination:
    """All findings by what they are about."""

    tool: str
    """This tool's version."""
    system: str
    packages: Mapping[str, str]
    findings: Mapping[str, tuple[Finding, ...]]

    @property
    def core_works(self) -> bool:
        """Whether a job can run, on this machine, with the core packages."""
        return all(each.state is State.OK for group in self.findings.values() for each in group if each.is_core)

    def as_lines(self) -> Iterator[str]:
        """For people; ends with the text for an issue."""
        for group, findings in self.findings.items():
            yield f"{group}:"
            for each in findings:
                mark = "" if each.state is State.OK else f"{each.state} · "
                yield _impersonal(f"  {each.name}: {mark}{each.says}")
                if each.fix:
                    yield _impersonal(f"    fix: {each.fix}")
        yield ""
        yield ISSUE_HEAD
        yield ""
        yield from self.as_issue()

    def as_issue(self) -> Iterator[str]:
        """Markdown: versions, the machine, and what is not as it should be."""
        yield "```text"
        yield f"ghostface-edge {self.tool}, {self.system}"
        yield from (
            _impersonal(f"{each.name}: {each.state} · {each.says}")
            for group, findings in self.findings.items()
            for each in findings
            if each.state is State.BROKEN or (each.state is State.OK and group != _IN_PACKAGES)
        )
        missing = [each.name for group in self.findings.values() for each in group if each.state is State.MISSING]
        yield f"missing: {', '.join(missing) or 'nothing'}"
        yield f"packages: {', '.join(f'{name} {version}' for name, version in self.packages.items())}"
        yield "```"
        yield "What I ran, what came of it, and what I expected:"

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "core_works": self.core_works,
            "tool": self.tool,
            "system": self.system,
            "packages": dict(self.packages),
            "findings": {
                group: [
                    {
                        "name": each.name,
                        "state": each.state,
                        "core": each.is_core,
                        "says": _impersonal(each.says),
                        "fix": _impersonal(each.fix),
                        **each.facts,
                    }
                    for each in findings
                ]
                for group, findings in self.findings.items()
            },
            "issue": "\n".join(self.as_issue()),
        }


def _impersonal(text: str) -> str:
    home, user = "", ""
    with suppress(RuntimeError, OSError, KeyError):
        home = str(Path.home())
        user = getpass.getuser()
    if home not in {"", "/"}:
        text = re.sub(rf"{re.escape(home)}(?=/|\W|$)", "~", text)
    if user:
        text = re.sub(rf"(?<=/){re.escape(user)}(?=/|\W|$)", "USER", text)
    return printable(text)
