"""Policies that ship: each clause of a document is met, not met, or it is said what is missing."""

import json
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Tone
from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.explain import explain
from ghostface_edge.reports.gate import exit_code, judge_report
from ghostface_edge.reports.github import annotations
from ghostface_edge.reports.policy import SHIPPED, Policy
from ghostface_edge.reports.renderings import html, junit, markdown
from ghostface_edge.reports.renderings.console import print_report
from ghostface_edge.reports.report import Report, Role, Verdict
from ghostface_edge.reports.section import Findings
from ghostface_edge.reports.sections.checks import checks
from ghostface_edge.reports.sections.requirements import requirements
from ghostface_edge.reports.stored_gate import contradiction
from ghostface_edge.reports.verdicts import Strength

from .test_at_fmr import known, with_all_pairs

PROFILES = [name for name in SHIPPED if name != "default"]


@pytest.fixture(scope="module")
def identified(report: Report) -> Report:
    """A report that tells FNMR at 1:10,000, where it is 10 %, and bounds it at 1:100,000."""
    return report.model_copy(update={"variants": tuple(with_all_pairs(list(report.variants), known()))})


def _lines(report: Report) -> list[str]:
    section = requirements(Findings(report))
    assert section is not None
    return [f"{bullet.tone}: {bullet.text}" for bullet in section.blocks[0].items]


def _line(report: Report, words: str) -> str:
    (line,) = [line for line in _lines(report) if words in line]
    return line


@pytest.mark.parametrize("name", SHIPPED)
def test_each_is_found_by_its_name_and_says_whose_clauses_it_holds(name: str) -> None:
    policy = Policy.named(name)
    assert policy.name == name
    for asked in (*(rule.clause for rule in policy.rules), *policy.open_clauses):
        assert (asked is not None) == (name in PROFILES)
        if asked is not None:
            assert all((asked.says, asked.source.title, asked.source.section, asked.source.date, asked.source.url))


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "schema_version: 1\nname: mine\nrules:\n  - {metric: bytes, variants: '*', max: 1}\n"
    Path("nist-800-63b").write_text(text)
    assert Policy.named("nist-800-63b").name == "mine"
    assert Policy.named("android-class").name == "android-class"


@pytest.mark.parametrize(("name", "fix"), [("nist-800-63", "did you mean `nist-800-63b`"), ("x", "or one of default")])
def test_a_name_that_is_neither(name: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"{name} cannot be read") as caught:
        Policy.named(name)
    assert fix in caught.value.fix


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_missing_never_passes(name: str, identified: Report, report: Report) -> None:
    for one in (identified, report):
        judged = judge_report(one, Policy.named(name))
        assert judged.gate.verdict is Verdict.INCONCLUSIVE
        assert exit_code(judged) is ExitCode.INCONCLUSIVE
        assert contradiction(judged) is None
        assert contradiction(Report.model_validate_json(judged.to_json())) is None


def test_nobody_known_answers_no_clause(report: Report) -> None:
    for name in PROFILES:
        judged = judge_report(report, Policy.named(name))
        assert all(" met " not in line.replace("not met", "") for line in _lines(judged))
        assert judged.gate.not_judged == ()
    line = _line(judge_report(report, Policy.named("nist-800-63b")), "one in 10000")
    assert "not answerable for onnxruntime-fp32, onnxruntime-int8 (fmr@0.0001 needs to know who is on" in line


def test_nist(identified: Report) -> None:
    judged = judge_report(identified, Policy.named("nist-800-63b"))
    fmr = _line(judged, "one in 10000")
    assert fmr.startswith("pass: 3.2.3.1 Biometric Accuracy, shall")
    assert fmr.endswith("met by onnxruntime-fp32, onnxruntime-int8 (fmr@0.0001)")
    fnmr = _line(judged, "less than 5 %")
    assert fnmr.startswith("careful: 3.2.3.1 Biometric Accuracy, should")
    assert (
        "not met by onnxruntime-fp32, onnxruntime-int8 (at the threshold for FMR 1:10,000: FNMR 0.1 [0.08, 0.12]"
        in fnmr
    )
    groups = _line(judged, "for all demographic groups")
    assert groups.startswith("inconclusive: ")
    assert groups.endswith("not answerable, this is missing: false-match rates by sex and skin tone")
    assert _line(judged, "presentation attack detection for faces").startswith("inconclusive: 3.2.3.2")


def test_android_is_met_by_a_stricter_rate_and_by_a_bound(identified: Report) -> None:
    judged = judge_report(identified, Policy.named("android-class"))
    assert _line(judged, "0.002%").endswith("met by onnxruntime-fp32, onnxruntime-int8 (fmr@0.00001)")
    assert _line(judged, "false rejection rate").startswith("careful: 7.3.10 [C-SR], should")
    few = judge_report(
        identified.model_copy(
            update={"variants": tuple(with_all_pairs(list(identified.variants), known(impostor=299_999)))}
        ),
        Policy.named("android-class"),
    )
    line = _line(few, "0.002%")  # one comparison less than the rule of 3 asks for
    assert "is not answerable: 1 more comparisons of different people are needed even for a bound" in line


def test_iso_says_down_to_which_rate_errors_are_known(identified: Report) -> None:
    judged = judge_report(identified, Policy.named("iso-19795-1"))
    assert _line(judged, "rule of 30").endswith("met by onnxruntime-fp32, onnxruntime-int8 (fmr@0.0001)")
    few = tuple(with_all_pairs(list(identified.variants), known(impostor=2_999)))
    unknown = judge_report(identified.model_copy(update={"variants": few}), Policy.named("iso-19795-1"))
    assert "1 more comparisons of different people are needed for a figure at 1:100" in _line(unknown, "rule of 30")


def _profile(strength: str = "shall", **policy: object) -> Policy:
    clause = {"says": "FNMR below 5 %", "strength": strength, "source": SOURCE}
    rule = {"metric": "fnmr_at_fmr", "fmr": "0.0001", "variants": "*", "max": 0.05, "clause": clause}
    return Policy.model_validate({"schema_version": 1, "name": "ours", "rules": [rule], **policy})


SOURCE = {"title": "A document", "section": "4.2", "date": "2026", "url": "https://example.com"}


def test_shall_fails_and_should_warns(identified: Report) -> None:
    shall, should = (judge_report(identified, _profile(strength)) for strength in Strength)
    assert (shall.gate.verdict, should.gate.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert (exit_code(shall), exit_code(should)) == (ExitCode.GATE_FAILED, ExitCode.PASS)
    (check,) = [check for check in should.gate.checks if check.variant == "onnxruntime-int8" and check.clause]
    assert (check.verdict, check.role) == (Verdict.FAIL, Role.ADVICE)
    assert contradiction(shall) is contradiction(should) is None
    assert _lines(shall)[0].startswith("fail: ")
    assert _lines(should)[0].startswith("careful: ")
    int8, stock = should.variants[1:]
    assert wording.verdict_of(should, int8) is wording.verdict_of(should, stock) is Verdict.PASS
    assert wording.verdict_of(shall, int8) is Verdict.FAIL
    assert {line.split()[0] for line in annotations(should.gate)} == {"::warning"}
    assert "::error" in {line.split()[0] for line in annotations(shall.gate)}
    skipped = ET.fromstring(junit.render(should)).findall("testsuite/testcase/skipped")
    assert skipped[0].get("message", "").startswith("advice only: onnxruntime-fp32: at the threshold for FMR 1:10,000")


def test_advice_made_to_decide_or_not_is_noticed(identified: Report) -> None:
    shall, should = (judge_report(identified, _profile(strength)) for strength in Strength)
    for judged, role in ((shall, Role.ADVICE), (should, Role.CANDIDATE)):
        changed = [check.model_copy(update={"role": role}) if check.clause else check for check in judged.gate.checks]
        gate = judged.gate.model_copy(update={"checks": tuple(changed)})
        assert contradiction(judged.model_copy(update={"gate": gate})) is not None


def test_a_shipped_profile_is_held_to_its_own_words(identified: Report) -> None:
    judged = judge_report(identified, Policy.named("nist-800-63b"))
    for number, check in enumerate(judged.gate.checks):
        if check.clause is not None:
            softened = check.clause.model_copy(update={"says": "be careful"})
            changed = [*judged.gate.checks]
            changed[number] = check.model_copy(update={"clause": softened})
            gate = judged.gate.model_copy(update={"checks": tuple(changed)})
            assert contradiction(judged.model_copy(update={"gate": gate})) is not None


OPEN = {"says": "attacks are detected", "missing": "an attack", "source": SOURCE}


def test_who_has_the_answer_takes_the_responsibility(identified: Report) -> None:
    waiver = {"check": "clause 4.2", "variants": "*", "reason": "report 17 of our laboratory", "owner": "Ada"}
    answered = _profile("should", open_clauses=[OPEN], waivers=[{**waiver, "expires": "2999-01-01"}])
    judged = judge_report(identified, answered)
    assert judged.gate.verdict is Verdict.PASS
    assert contradiction(judged) is None
    line = _line(judged, "attacks")
    assert line.startswith("pass: ")
    assert "an attack; waived by Ada until 2999-01-01: report 17 of our laboratory" in line
    late = _profile("should", open_clauses=[OPEN], waivers=[{**waiver, "expires": "2020-01-01"}])
    assert judge_report(identified, late).gate.verdict is Verdict.FAIL
    open_ = judge_report(identified, _profile("should", open_clauses=[OPEN]))
    assert open_.gate.verdict is Verdict.INCONCLUSIVE
    assert contradiction(open_) is None
    (check,) = [check for check in open_.gate.checks if check.variant == "*"]
    assert (check.name, check.role) == ("clause 4.2", Role.CANDIDATE)
    praised = [one.model_copy(update={"verdict": Verdict.PASS}) if one is check else one for one in open_.gate.checks]
    gate = open_.gate.model_copy(update={"checks": tuple(praised)})
    assert contradiction(open_.model_copy(update={"gate": gate})) is not None


def test_open_advice_does_not_decide(identified: Report) -> None:
    judged = judge_report(identified, _profile("should", open_clauses=[{**OPEN, "strength": "should"}]))
    assert judged.gate.verdict is Verdict.PASS
    assert contradiction(judged) is None
    assert _line(judged, "attacks").startswith("careful: 4.2, should: attacks are detected: not answerable")


def test_clauses_stand_in_every_rendering_with_their_source(identified: Report) -> None:
    judged = judge_report(identified, Policy.named("nist-800-63b"))
    terminal = StringIO()
    print_report(judged, Console(file=terminal, width=200))
    plain = markdown.render(judged).replace("\\", "")
    for text in (terminal.getvalue(), plain, html.render(judged), explain(judged.gate)):
        for words in ("shall", "should", "July 2025", "https://pages.nist.gov/800-63-4/sp800-63b.html", "3.2.3.1"):
            assert words in text
        assert "this is missing: false-match rates by sex and skin tone" in text
    for text in (terminal.getvalue(), plain, html.render(judged)):
        assert "Met means met on these images" in text
        assert "3 checks beside the requirements" in text
    said = explain(judged.gate)
    assert "not met, should: FNMR" in said
    assert "met, shall: FMR" in said


def test_in_the_table_a_clauses_words_are_its_reason_and_advice_is_no_alarm(identified: Report) -> None:
    judged = judge_report(identified, Policy.named("nist-800-63b"))
    table = checks(Findings(judged)).blocks[-1].blocks[0]
    open_ = next(row for row in table.rows if row[2].startswith("clause 3.2.3.2"))
    assert open_[4:] == ("–", "presentation attack detection for faces")
    advice = next(row for row in table.rows if row[1:3] == ("onnxruntime-int8", "fnmr_at_fmr@0.0001"))
    assert (advice[0].text, advice[0].tone, advice[5]) == ("fail", Tone.INCONCLUSIVE, 'FNMR "of less than 5 %"')


def test_the_default_policy_asks_for_no_clause(report: Report) -> None:
    assert requirements(Findings(report)) is None
    assert all(check["clause"] is None for check in json.loads(report.to_json())["gate"]["checks"])


def test_unknown_keys_of_a_clause_are_named(tmp_path: Path) -> None:
    head = "schema_version: 1\nname: mine\nrules:\n  - metric: bytes\n    variants: '*'\n    max: 1\n    clause:\n"
    clause = "      says: small\n      source: {title: t, section: s, date: d, url: u%s}\n%s"
    for more, other, key in ((", sektion: x", "", "section"), ("", "      strenght: should\n", "strength")):
        (tmp_path / "policy.yaml").write_text(head + clause % (more, other))
        with pytest.raises(InputError) as caught:
            Policy.read(tmp_path / "policy.yaml")
        assert f"did you mean '{key}'" in caught.value.fix
