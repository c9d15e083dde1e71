import json
from pathlib import Path

import pytest
import yaml

from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.policy import DEFAULT_FILE, SCHEMA_FILE, Metric, Policy, json_schema
from ghostface_edge.reports.variant import Variant

HEAD = "schema_version: 1\nname: mine\nrules:\n"


def _read(text: str, folder: Path) -> Policy:
    (folder / "policy.yaml").write_text(text)
    return Policy.read(folder / "policy.yaml")


def test_default_policy_judges_int8_by_every_kind_of_evidence(variants: list[Variant]) -> None:
    metrics = {rule.metric for rule in Policy.read().rules if rule.matches(variants[1])}
    assert {
        Metric.DROP,
        Metric.TAR_DROP,
        Metric.FNMR_RISE,
        Metric.COSINE_MEAN,
        Metric.LATENCY_RATIO,
        Metric.SIZE_RATIO,
    } <= metrics
    assert all(rule.why for rule in Policy.read().rules)


def test_the_shipped_schema_is_the_models() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == json_schema(), "write json_schema() to policy.schema.json"
    schema = json.loads(json_schema())
    rule = schema["$defs"]["Rule"]["properties"]
    for written in yaml.safe_load(DEFAULT_FILE.read_text())["rules"]:
        assert set(written) <= set(rule)
        assert written.get("far", 0.01) in rule["far"]["enum"]
        assert written.get("fmr", 1e-5) in rule["fmr"]["enum"]
    # a pattern may stand alone, and a list may be given
    assert [kind["type"] for kind in rule["variants"]["anyOf"]] == ["string", "array"]


def test_patterns(variants: list[Variant], tmp_path: Path) -> None:
    policy = _read(HEAD + "  - {metric: drop_pp, variants: ['*-int8', 'openvino-*'], max: 1}\n", tmp_path)
    names = ("tflite-int8", "tflite-int8-stock", "openvino-fp16", "tflite-int8@pi4")
    named = [variants[0].model_copy(update={"id": name, "device": name.partition("@")[2] or None}) for name in names]
    assert [one.id for one in named if policy.rules[0].matches(one)] == ["tflite-int8", "openvino-fp16"]
    (rule,) = _read(HEAD + "  - {metric: drop_pp, variants: '*-int8', devices: [pi*], max: 1}\n", tmp_path).rules
    assert [one.id for one in named if rule.matches(one)] == ["tflite-int8@pi4"]


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        (HEAD + "  - {metric: drop_pp, variants: '*', maximum: 1}", r"rules\.0\.maximum", "did you mean 'max'"),
        (HEAD + "  - {metric: drop, variants: '*', max: 1}", r"rules\.0\.metric", "did you mean 'drop_pp'"),
        (HEAD + "  - {metric: cosine_mi, variants: '*', max: 1}", r"rules\.0\.metric", "did you mean 'cosine_min'"),
        (HEAD + "  - {metric: drop_pp, variants: '*'}", "needs max, min or both", "policy.schema.json"),
        (HEAD + "  - {metric: drop_pp, variants: '*', max: 1, min: 2}", "min 2 is above max 1", "schema"),
        (HEAD + "  - {metric: tar_drop_pp, variants: '*', max: 1}", "needs far", "schema"),
        (HEAD + "  - {metric: fnmr_at_fmr, variants: '*', max: 1}", "needs fmr", "schema"),
        (HEAD + "  - {metric: bytes, fmr: 0.01, variants: '*', max: 1}", "takes no fmr", "schema"),
        (HEAD + "  - {metric: fnmr_at_fmr, fmr: 0.02, variants: '*', max: 1}", r"rules\.0\.fmr", "schema"),
        (HEAD + "  - {metric: fnmr_at_fmr, fmr: .nan, variants: '*', max: 1}", r"rules\.0\.fmr", "schema"),
        (HEAD + "  - {metric: fnmr_at_fmr, fmr: yes, variants: '*', max: 1}", r"rules\.0\.fmr", "schema"),
        (HEAD + "  - {metric: fnmr_at_fmr, fmr: [0.01], variants: '*', max: 1}", r"rules\.0\.fmr", "schema"),
        (HEAD + "  - {metric: bytes, threshold: frozen, variants: '*', max: 1}", "takes no frozen", "schema"),
        (HEAD + "  - {metric: fmr, fmr: 1e-4, threshold: kept, variants: '*', max: 1}", "threshold", "schema"),
        (HEAD + "  - {metric: fnmr_rise_pp, fmr: 1e-4, variants: '*', max: 1, set: cfp}", "takes no set", "schema"),
        (HEAD + "  - {metric: bytes, variants: '*', max: 1, set: cfp}", "takes no set", "schema"),
        (HEAD + "  - {metric: bytes, variants: '*', max: .nan}", r"rules\.0\.max", "schema"),
        ("schema_version: 1\nname: mine\nrules: []\n", "rules", "schema"),
        ("schema_version: 2\nname: mine\nrules: []\n", "schema_version", "schema"),
        (HEAD + "  - {metric: bytes, variants: '*', max: 1}\nwaiver: []", "waiver", "did you mean 'waivers'"),
        ("rules: [", "is no YAML", "mend the line"),
        ("!!python/object/apply:os.system ['true']", "is no YAML", "mend the line"),
        ("", "policy.yaml holds no mapping", "keys and values"),
        (HEAD + "  - {metric: bytes, variants: '*', max: yes}", r"rules\.0\.max", "schema"),
    ],
)
def test_what_is_no_policy(text: str, message: str, fix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        _read(text, tmp_path)
    assert fix in caught.value.fix
    assert caught.value.exit_code is ExitCode.BAD_INPUT


@pytest.mark.parametrize("spelt", ["0.0001", "1e-4", "1.0e-04", "'0.0001'", "'1e-4'", "0.00010"])
def test_a_rate_is_the_same_however_it_is_spelt(spelt: str, tmp_path: Path) -> None:
    policy = _read(HEAD + f"  - {{metric: fnmr_at_fmr, fmr: {spelt}, variants: '*', max: 0.05}}\n", tmp_path)
    assert (policy.rules[0].fmr, policy.rules[0].name) == ("0.0001", "fnmr_at_fmr@0.0001")
    lowest = _read(HEAD + "  - {metric: fmr, fmr: lowest, threshold: frozen, variants: '*', max: 1}\n", tmp_path)
    assert lowest.rules[0].name == "fmr@lowest frozen"


def test_a_waiver_needs_reason_owner_and_day(tmp_path: Path) -> None:
    rules = HEAD + "  - {metric: bytes, variants: '*', max: 1}\nwaivers:\n"
    with pytest.raises(InputError, match=r"waivers\.0\.expires"):
        _read(rules + "  - {check: bytes, variants: '*', reason: r, owner: o}", tmp_path)
    with pytest.raises(InputError, match=r"waivers\.0\.owner"):
        _read(rules + "  - {check: bytes, variants: '*', reason: r, owner: '', expires: 2030-01-01}", tmp_path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Policy.read(tmp_path / "policy.yaml")


def test_a_limit_may_be_one_value(tmp_path: Path) -> None:
    (rule,) = _read(HEAD + "  - {metric: bytes, variants: '*', min: 5, max: 5}", tmp_path).rules
    assert (rule.min, rule.max) == (5, 5)
