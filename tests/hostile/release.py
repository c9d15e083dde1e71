"""Hostile recipes, policies, reports, baselines, bundles and run folders."""

import copy
import functools
import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ghostface_edge.pipeline.release.archive import Writer

from . import good
from .case import PLACES, Case, Content, Door, flipped, later, link, tree

_REPORT = {"report.json": later(good.report_json)}
RECIPE = Door(
    "recipe.yaml",
    (
        "quantize",
        "net.onnx",
        "--target",
        "onnxruntime-int8-stock",
        "--calibration",
        "faces",
        "-o",
        "out",
        "--recipe",
        "recipe.yaml",
    ),
    {"net.onnx": later(good.onnx_model), "faces": tree(good.photographs())},
)
POLICY = Door("policy.yaml", ("gate", "report.json", "--policy", "policy.yaml"), _REPORT)
REPORT = Door("report.json", ("gate", "report.json"), {})
BASELINE = Door("before.json", ("gate", "report.json", "--baseline", "before.json"), _REPORT)
COMPARED = Door("before.json", ("compare", "before.json", "report.json"), _REPORT)
BUNDLE = Door("bundle.zip", ("verify", "bundle.zip"), {})
RUN = Door("run", ("bundle", "run", "-o", "bundle.zip"), {})

JUDGED = frozenset({1, 2, 4})
"""For a report that may be read, but must not pass."""


def cases() -> Iterator[Case]:
    """All of this part."""
    yield from plain_yaml("recipe", RECIPE, good.recipe())
    yield from plain_yaml("policy", POLICY, good.policy())
    yield from _recipes()
    yield from _policies()
    yield from _json()
    yield from _contradictions()
    yield from _injections()
    yield from _bundles()
    yield from _run_folders()


def plain_yaml(part: str, door: Door, whole: bytes) -> Iterator[Case]:
    """What every reader of YAML has to refuse."""
    texts = {
        "python-object-apply": b"!!python/object/apply:os.system ['touch EXECUTED']",
        "python-object-new": b"!!python/object/new:os.system ['touch EXECUTED']",
        "python-name": b"name: !!python/name:os.system",
        "python-module": b"name: !!python/module:os",
        "20000-brackets": b"[" * 20_000,
        "20000-braces": b"{a: " * 20_000,
        "20000-dashes": b"- " * 20_000 + b"x",
        "20000-questions": b"? " * 20_000 + b"x",
        "int-of-nothing": b"name: !!int ''",
        "float-of-nothing": b"name: !!float ''",
        "float-of-text": b"name: !!float x",
        "bool-of-text": b"name: !!bool x",
        "timestamp-of-text": b"name: !!timestamp x",
        "binary-of-text": b"name: !!binary \xc3\xa9",
        "a-date": b"name: 2026-01-01",
        "an-impossible-date": b"name: 2026-13-45",
        "a-date-as-a-key": b"2026-01-01: x",
        "5000-digits": b"name: " + b"9" * 5000,
        "5000-digits-in-base-60": b"name: " + b"59:" * 2000 + b"59",
        "5000-hexadecimal-digits": b"name: 0x" + b"f" * 5000,
        "five-billion-laughs": b"a: &a [x, x]\n" + b"".join(f"{chr(98 + k)}: &{chr(98 + k)} [{', '.join([f'*{chr(97 + k)}'] * 9)}]\n".encode() for k in range(20)),
        "laughs-by-merging": b"a: &a {x: 1}\n" + b"".join(f"{chr(98 + k)}: &{chr(98 + k)} {{<<: [{', '.join([f'*{chr(97 + k)}'] * 20)}], k{k}: 1}}\n".encode() for k in range(12)),
        "an-alias-of-itself": b"&a [*a]",
        "a-mapping-that-holds-itself": b"&a {name: *a}",
        "a-mapping-as-its-own-key": b"&a {? *a : 1}",
        "an-unknown-alias": b"name: *b",
        "a-list-as-a-key": b"? [a, b]\n: x",
        "a-mapping-as-a-key": b"? {a: b}\n: x",
        "a-set": b"!!set {name}",
        "an-ordered-map": b"!!omap [name: x]",
        "merging-a-number": b"<<: 5\nname: x",
        "two-documents": whole + b"---\nname: x\n",
        "no-document": b"",
        "only-a-comment": b"# nothing\n",
        "a-number": b"5",
        "a-list": b"- a\n- b\n",
        "null": b"null",
        "a-duplicate-key": whole + b"name: other\n",
        "a-key-with-a-newline": b'"x\\n::error::PWNED": 1\n' + whole,
        "a-key-with-escapes": b'"x\\e[31mred": 1\n' + whole,
        "a-key-of-a-megabyte": b'"' + b"x" * 1_000_000 + b'": 1\n',
        "an-unknown-directive": b"%FOO bar\n---\nname: x\n",
        "yaml-9": b"%YAML 9.9\n---\nname: x\n",
        "control-characters": b"name: \x01\x02\x1b[31m",
        "utf-16": whole.decode().encode("utf-16"),
        "latin-1": b"name: caf\xe9",
        "a-zero-byte": whole + b"\0",
        "tabs": b"name:\n\t- x\n",
        "json-of-60000-brackets": b"[" * 60_000 + b"]" * 60_000,
    }  # fmt: skip
    for name, content in (
        texts | {"cut-within-brackets": whole[: max(whole.rfind(b"["), whole.rfind(b"{")) + 3]}
    ).items():
        code, readable = name.startswith("python-"), name in {"null", "yaml-9"}
        is_name = part == "recipe" and name in {"a-date", "an-impossible-date"}
        yield door.case(
            f"{part}/{name}",
            content,
            runs_code=code,
            quick=part == "policy" and not readable,
            allowed=frozenset({0}) if is_name else frozenset({2}),
            why="a date is text, and a recipe may be called so" if is_name else "",
        )
    for name, content in PLACES.items():
        yield door.case(f"{part}/{name}", content, quick=part == "policy" and name in {"pipe", "endless-device"})
    if part == "recipe":
        missing = door.renamed("nosuch.yaml")
        yield Case("recipe/missing", missing.arguments, missing.around)


def _recipes() -> Iterator[Case]:
    for name, text in {
        "steps-of-nothing": "distillation: {steps: 0}",
        "steps-of-a-quintillion": "distillation: {steps: 1000000000000000000000}",
        "an-infinite-rate": "distillation: {learning_rate: .inf}",
        "a-rate-of-nan": "distillation: {learning_rate: .nan}",
        "percentile-of-nan": "ranges: {method: percentile, percentile: .nan}",
        "negative-faces": "ranges: {faces: -1}",
        "faces-of-text": "ranges: {faces: many}",
        "an-unknown-method": "ranges: {method: magic}",
        "an-unknown-key": "rangs: {method: min-max}",
        "an-unknown-inner-key": "ranges: {methods: min-max}",
        "a-name-with-a-newline": 'name: "x\\n::error::PWNED"\nranges: {faces: 0}',
    }.items():
        yield RECIPE.case(f"recipe/{name}", text.encode())


def _policies() -> Iterator[Case]:
    head = "schema_version: 1\nname: n\nrules:\n"
    rule = "  - {metric: drop_pp, variants: '*-int8', max: 0.75}\n"
    refused = {
        "no-rules": "schema_version: 1\nname: n\nrules: []\n",
        "version-2": f"schema_version: 2\nname: n\nrules:\n{rule}",
        "a-limit-of-nan": f"{head}  - {{metric: drop_pp, variants: '*-int8', max: .nan}}\n",
        "an-infinite-limit": f"{head}  - {{metric: drop_pp, variants: '*-int8', max: .inf}}\n",
        "a-limit-of-text": f"{head}  - {{metric: drop_pp, variants: '*-int8', max: lots}}\n",
        "limits-reversed": f"{head}  - {{metric: drop_pp, variants: '*-int8', max: 1, min: 2}}\n",
        "no-limit": f"{head}  - {{metric: drop_pp, variants: '*-int8'}}\n",
        "an-unknown-metric": f"{head}  - {{metric: dorp_pp, variants: '*-int8', max: 1}}\n",
        "a-duplicate-rules-key": f"{head}{rule}rules:\n  - {{metric: drop_pp, variants: '*-int8', max: 99}}\n",
        "a-duplicate-limit": f"{head}  - {{metric: drop_pp, variants: '*-int8', max: 0.1, max: 99}}\n",
        "a-duplicate-in-another-spelling": f'{head}{rule}"rules":\n{rule}',
        "a-merge-over-a-limit": f"{head}  - {{<<: {{max: 99}}, metric: drop_pp, variants: '*-int8', <<: {{max: 98}}}}\n",
        "a-waiver-without-an-owner": f"{head}{rule}waivers:\n  - {{check: drop_pp, variants: '*', reason: r, expires: 2099-01-01}}\n",
        "a-waiver-until-nonsense": f"{head}{rule}waivers:\n  - {{check: a, variants: '*', reason: r, owner: o, expires: never}}\n",
    }  # fmt: skip
    for name, text in refused.items():
        yield POLICY.case(f"policy/{name}", text.encode(), quick=True)
    empty = {
        "rules-for-nobody": f"{head}  - {{metric: drop_pp, variants: 'nosuch-*', max: 0.75}}\n",
        "rules-in-upper-case": f"{head}  - {{metric: drop_pp, variants: '*-INT8', max: 0.75}}\n",
        "rules-for-the-empty-pattern": f"{head}  - {{metric: drop_pp, variants: '', max: 0.75}}\n",
        "rules-for-no-variants": f"{head}  - {{metric: drop_pp, variants: [], max: 0.75}}\n",
        "rules-for-fp32-only": f"{head}  - {{metric: cosine_min, variants: '*-fp32', min: 0.5}}\n",
        "a-rule-on-a-set-that-is-not-there": f"{head}  - {{metric: drop_pp, variants: '*-int8', max: 1, set: nosuch}}\n",
        "requires-what-is-not-there": f"{head}{rule}require: ['tflite-*']\n",
    }
    for name, text in empty.items():
        yield POLICY.case(
            f"policy/{name}", text.encode(), allowed=frozenset({1, 2, 4}), why="nothing was judged: no pass", quick=True
        )


def _changed(change: Callable[[dict[str, Any]], object]) -> Content:
    """The good report, changed."""

    def make() -> bytes:
        report = copy.deepcopy(good.report())
        change(report)
        return json.dumps(report).encode()

    return later(make)


def _json() -> Iterator[Case]:
    texts: dict[str, Content] = {
        "60000-brackets": b"[" * 60_000,
        "60000-brackets-closed": b"[" * 60_000 + b"]" * 60_000,
        "60000-braces": b'{"a":' * 60_000,
        "5000-digits": b'{"schema_version": ' + b"1" * 5000 + b"}",
        "a-megabyte-of-digits": b'{"schema_version": ' + b"1" * 1_000_000 + b"}",
        "not-a-number": b'{"schema_version": NaN}',
        "a-list": b"[]",
        "a-number": b"1",
        "null": b"null",
        "text": b'"report"',
        "empty-object": b"{}",
        "version-2": _changed(lambda report: report.update(schema_version=2)),
        "version-true": _changed(lambda report: report.update(schema_version=True)),
        "version-as-text": _changed(lambda report: report.update(schema_version="1")),
        "an-unknown-field": _changed(lambda report: report.update(mood="good")),
        "a-lone-surrogate": later(lambda: good.report_json().replace(b'"a CPU"', b'"\\ud800"')),
        "a-zero-byte": later(lambda: good.report_json() + b"\0"),
        "a-comment": later(lambda: good.report_json() + b"// end"),
        "two-values": later(lambda: good.report_json() * 2),
        "duplicate-variants-key": later(lambda: good.report_json().replace(b'"gate":', b'"variants": [], "gate":', 1)),
        "duplicate-gate-key": later(lambda: good.report_json().rstrip()[:-1] + b', "gate": {"verdict": "pass", "checks": []}}'),
        "duplicate-drop": later(lambda: good.report_json().replace(b'"drop_pp":', b'"drop_pp": 40.0, "drop_pp":')),
        "utf-16": later(lambda: good.report_json().decode().encode("utf-16")),
        "latin-1": later(lambda: good.report_json().replace(b"a CPU", b"a caf\xe9")),
        "no-variants": _changed(lambda report: report.update(variants=[])),
        "a-variant-twice": _changed(lambda report: report["variants"].append(report["variants"][1])),
        "cut": later(lambda: good.report_json()[:-100]),
        "turned": later(lambda: next(iter(flipped(good.report_json(), 1).values()))),
    }  # fmt: skip
    judged = {"no-variants"}
    for name, content in texts.items():
        allowed = JUDGED if name in judged else frozenset({2})
        yield REPORT.case(
            f"report/{name}", content, allowed=allowed, quick=True, why="no pass" if len(allowed) > 1 else ""
        )
    for name in ("60000-brackets", "5000-digits", "a-list", "empty-object", "version-2", "duplicate-drop", "cut"):
        yield BASELINE.case(f"baseline/{name}", texts[name], quick=True)
        yield COMPARED.case(f"compare/{name}", texts[name])
    for name, content in PLACES.items():
        for part, door in {"report": REPORT, "baseline": BASELINE, "compare": COMPARED}.items():
            yield door.case(
                f"{part}/{name}", content, quick=part == "report" and name in {"pipe", "endless-device", "8-gib"}
            )


def _int8(change: Callable[[dict[str, Any]], object]) -> Content:
    return _changed(lambda report: change(report["variants"][1]))


def _contradictions() -> Iterator[Case]:
    """Reports that disagree with themselves: refused, or at least no pass."""

    def versus(**fields: object) -> Content:
        return _int8(lambda variant: variant["versus_reference"].update(fields))

    def accuracy(**fields: object) -> Content:
        return _int8(lambda variant: variant["accuracy"].update(fields))

    contradictions = {
        "a-drop-outside-its-interval": versus(drop_pp=40.0, ci95_pp=[-0.1, 0.1]),
        "an-interval-reversed": versus(ci95_pp=[0.1, -0.1]),
        "an-interval-of-one-point-elsewhere": versus(ci95_pp=[-0.5, -0.5]),
        "a-drop-that-the-accuracies-deny": versus(drop_pp=-0.7, ci95_pp=[-0.75, -0.65]),
        "an-accuracy-that-the-drop-denies": accuracy(mean=0.5, folds=[0.5] * 10),
        "a-mean-that-the-folds-deny": accuracy(mean=0.99),
        "a-fold-above-one": accuracy(folds=[2.0, 0.0] * 5),
        "no-folds": accuracy(folds=[]),
        "an-error-of-zero": accuracy(standard_error=0.0),
        "cosines-out-of-order": versus(cosine_min=0.999, cosine_p01=0.5, cosine_mean=0.1),
        "more-flips-than-pairs": versus(flipped_pairs=10**9),
        "more-lost-than-flipped": versus(flipped_pairs=1, lost_pairs=500),
        "another-number-of-pairs": versus(pairs=5),
        "an-impossible-p-value": versus(p_value=1.5),
        "percentiles-out-of-order": _int8(lambda variant: variant["latency"].update(p50_ms=9.0, p90_ms=1.0, p99_ms=0.1)),
        "no-runs": _int8(lambda variant: variant["latency"].update(runs=0)),
        "negative-runs": _int8(lambda variant: variant["latency"].update(runs=-5, threads=-1)),
        "a-ratio-outside-its-interval": _int8(lambda variant: variant["latency"].update(versus_fp32=0.1, versus_fp32_ci95=[5.0, 6.0])),
        "negative-bytes": _int8(lambda variant: variant["artifact"].update(bytes=-1)),
        "no-bytes": _int8(lambda variant: variant["artifact"].update(bytes=0)),
        "a-digest-of-nonsense": _int8(lambda variant: variant["artifact"].update(sha256="x")),
        "an-id-that-its-parts-deny": _int8(lambda variant: variant.update(id="openvino-fp32")),
        "an-id-in-upper-case": _int8(lambda variant: variant.update(id="ONNXRUNTIME-INT8")),
        "all-ids-in-upper-case": _changed(lambda report: [variant.update(id=variant["id"].upper()) for variant in report["variants"]]),
        "fp32-only": _changed(lambda report: report["variants"].pop(1)),
        "int8-failed": _int8(lambda variant: variant.update(status="failed", error="crashed")),
        "int8-skipped": _int8(lambda variant: variant.update(status="skipped", error="not installed")),
        "no-pairs": _changed(lambda report: report["data"]["pairs"].update(count=0)),
        "negative-pairs": _changed(lambda report: report["data"]["pairs"].update(count=-2000)),
        "everybody-leaks": _changed(lambda report: report["data"]["calibration"].update(identities_shared_with_pairs=290)),
        "more-people-than-pictures": _changed(lambda report: report["data"]["calibration"].update(images=3)),
        "a-drop-of-40": versus(drop_pp=40.0, ci95_pp=[39.0, 41.0]),
    }  # fmt: skip
    for name, content in contradictions.items():
        may = JUDGED | ({3} if name in {"int8-failed", "int8-skipped"} else set())
        yield REPORT.case(
            f"report/{name}",
            content,
            allowed=may,
            why="it may be read where it says a fault, but it does not pass",
            quick=True,
        )


def _injections() -> Iterator[Case]:
    """What a report says must not become lines, escapes or markup of ours."""
    evil = {
        "newline": "x\n::error::PWNED",
        "return": "x\r::error::PWNED",
        "escape": "x\x1b[2J\x1b]0;x\x07",
        "c1": "x\x9b31mx",
        "bidi": "x\u202ey\u2066z",
        "separator": "x\u2028::error::PWNED\u2029::error::PWNED",
        "markup": "[red]x[/red][/]",
    }
    ways = {
        "gate": ("gate", "report.json"),
        "explain": ("gate", "report.json", "--explain"),
        "github": ("gate", "report.json", "--github"),
        "markdown": ("gate", "report.json", "--markdown", "out.md", "--junit", "out.xml"),
        "compare": ("compare", "report.json", "report.json", "--html", "out.html"),
    }
    for kind, text in evil.items():

        def spoil(report: dict[str, Any], text: str = text) -> None:
            report["model"]["name"] = report["host"]["cpu"] = report["data"]["pairs"]["path"] = text
            report["variants"][1]["error"] = report["variants"][1]["artifact"]["path"] = text
            report["variants"].append(
                {"id": text, "runtime": text, "precision": "int8", "method": text, "status": "failed", "error": text}
            )
            report["gate"]["policy"] = text

        for way, arguments in ways.items():
            yield Case(
                f"inject/{kind}-into-{way}",
                arguments,
                {"report.json": _changed(spoil)},
                allowed=frozenset({0, 1, 2, 3, 4}) if way == "compare" else frozenset({1, 2, 3, 4}),
                why="a failed variant is no pass; what counts is what is printed",
                quick=kind in {"newline", "escape"} and way != "github",
            )
        yield REPORT.renamed(f"{text.replace('/', '')}.json").case(f"inject/{kind}-in-a-file-name", b"[]")
        yield REPORT.case(
            f"inject/{kind}-in-a-key", _changed(lambda report, text=text: report.update({text: 1})), quick=True
        )
        yield POLICY.case(
            f"inject/{kind}-in-a-policy",
            json.dumps(
                {"schema_version": 1, "name": text, text: 1, "rules": [{"metric": text, "variants": text, "max": 1}]}
            ).encode(),
        )
    name = os.fsdecode(b"x\xff.json")
    for verb in ("gate", "inspect", "verify", "bundle"):
        more = ("-o", "out.zip") if verb == "bundle" else ()
        yield Case(f"inject/a-file-name-that-is-not-utf-8-to-{verb}", (verb, name, *more), {name: b"[]"})


# --- bundles


@functools.cache
def _members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(good.bundle())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _listing(members: list[tuple[str, bytes]]) -> bytes:
    """The good bundle's manifest, with the members' sizes and hashes in place of its own."""
    said = json.loads(_members()["manifest.json"])
    said["files"] = {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in members}
    return json.dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"


def _zip(
    members: list[tuple[str, bytes]],
    *,
    manifest: bool = True,
    kinds: dict[str, int] | None = None,
    method: int = zipfile.ZIP_STORED,
) -> bytes:
    """A zip of members in this order, with a manifest that agrees with them if asked; of a bundle's form if it can be."""
    if manifest:
        members = [*members, ("manifest.json", _listing(members))]
    buffer = io.BytesIO()
    if kinds is None and method == zipfile.ZIP_STORED:
        writer = Writer(buffer)
        for name, data in members:
            writer.add(name, [data])
        writer.finish()
        return buffer.getvalue()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            entry = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
            entry.filename, entry.compress_type = name, method
            entry.external_attr = (kinds or {}).get(name, 0o644) << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _forged(change: Callable[[dict[str, bytes]], object], **options: Any) -> Content:
    """The good bundle with changed members and a manifest that agrees."""

    def make() -> bytes:
        members = {name: data for name, data in _members().items() if name != "manifest.json"}
        change(members)
        return _zip(sorted(members.items()), **options)

    return later(make)


def _verdict(members: dict[str, bytes]) -> None:
    report = json.loads(members["report.json"])
    report["variants"][1]["versus_reference"].update(cosine_mean=0.2, cosine_p01=0.1, cosine_min=0.0)
    report["gate"].update(verdict="pass")
    for check in report["gate"]["checks"]:
        check["verdict"] = "pass"
    members["report.json"] = json.dumps(report).encode()


def _bundles() -> Iterator[Case]:
    def added(name: str, data: bytes = b"evil", **options: Any) -> Content:
        return _forged(lambda members: members.update({name: data}), **options)

    def twice(first: bytes, name: str = "report.html") -> Content:
        def make() -> bytes:
            members = [(key, data) for key, data in _members().items() if key != "manifest.json"]
            return _zip([(name, first), *members])

        return later(make)

    def patched(find: bytes, at: int, value: bytes, *, last: bool = False) -> Content:
        def make() -> bytes:
            data = good.bundle()
            start = (data.rindex if last else data.index)(find) + at
            return data[:start] + value + data[start + len(value) :]

        return later(make)

    local, central, end = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
    bundles: dict[str, Content] = {
        "a-duplicate-member-first-evil": twice(b"<script>evil</script>"),
        "a-duplicate-report": twice(b"{}", "report.json"),
        "a-duplicate-manifest": twice(b"{}", "manifest.json"),
        "a-climbing-path": added("../evil.sh"),
        "a-climbing-path-within": added("models/../../evil.sh"),
        "an-absolute-path": added("/etc/cron.d/evil"),
        "a-windows-path": added("C:\\evil.exe"),
        "a-backslash-path": added("models\\..\\..\\evil.sh"),
        "a-dot-path": added("./report.json"),
        "a-double-slash": added("models//evil.onnx"),
        "a-path-with-a-zero-byte": added("report.html\0.png"),
        "a-path-with-a-newline": added("x\n::error::PWNED"),
        "a-path-with-escapes": added("x\x1b[31m"),
        "a-device-name": added("NUL"),
        "a-trailing-dot": added("report.json."),
        "case-twins": added("REPORT.json"),
        "unicode-twins": _forged(lambda members: members.update({"caf\u00e9": b"1", "cafe\u0301": b"2"})),
        "a-symbolic-link": added("link", b"/etc/passwd", kinds={"link": 0o120777}),
        "a-device": added("device", b"", kinds={"device": 0o20666}),
        "a-pipe": added("pipe", b"", kinds={"pipe": 0o10666}),
        "a-setuid-file": added("models/run", kinds={"models/run": 0o104755}),
        "a-folder-entry": added("folder/", b""),
        "a-file-that-is-also-a-folder": _forged(lambda members: members.update({"a": b"1", "a/b": b"2"})),
        "an-added-file": added("install.sh", b"#!/bin/sh\ntouch EXECUTED\n"),
        "an-added-model": added("models/other.onnx"),
        "a-replaced-page": _forged(lambda members: members.update({"report.html": b"<script>alert(1)</script>"})),
        "a-replaced-summary": _forged(lambda members: members.update({"report.md": b"All passed."})),
        "a-replaced-junit": _forged(lambda members: members.update({"junit.xml": b'<testsuites tests="0"/>'})),
        "a-forged-verdict": _forged(_verdict),
        "a-report-replaced": _forged(lambda members: members.update({"report.json": b"{}"})),
        "no-report": _forged(lambda members: members.pop("report.json")),
        "a-model-replaced": _forged(lambda members: members.update({"models/onnxruntime-int8.onnx": b"evil"})),
        "a-model-missing": _forged(lambda members: members.pop("models/onnxruntime-int8.onnx")),
        "no-manifest": _forged(lambda members: None, manifest=False),
        "a-manifest-of-brackets": later(lambda: _zip([("manifest.json", b"[" * 60_000)], manifest=False)),
        "a-manifest-of-numbers": later(lambda: _zip([("manifest.json", b"5")], manifest=False)),
        "a-manifest-of-lists": later(lambda: _zip([("manifest.json", b'{"report.json": ["x"]}')], manifest=False)),
        "a-manifest-in-utf-16": later(lambda: _zip([("manifest.json", '{"a": "b"}'.encode("utf-16"))], manifest=False)),
        "a-damaged-deflate": patched(local, 30 + len("manifest.json") + 5, b"\xff\xff\xff\xff\xff\xff"),
        "a-damaged-model": patched(central, -200, b"\0\0\0\0\0\0\0\0"),
        "an-encryption-flag": patched(central, 8, b"\x01\x00"),
        "an-encryption-flag-in-the-local-header": patched(local, 6, b"\x01\x00"),
        "an-unknown-method": patched(central, 10, b"\x63\x00"),
        "method-implode": patched(central, 10, b"\x06\x00"),
        "a-patch-flag": patched(central, 8, b"\x20\x00"),
        "a-version-of-the-future": patched(central, 6, b"\xff\x00"),
        "a-wrong-checksum": patched(central, 16, b"\0\0\0\0"),
        "a-wrong-size": patched(central, 24, b"\xff\xff\xff\x0f"),
        "a-size-of-4-gib": patched(central, 20, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        "an-offset-beyond-the-end": patched(central, 42, b"\xff\xff\xff\x7f"),
        "two-names-for-one-member": patched(local, 30, b"X"),
        "a-comment-with-another-zip": later(lambda: good.bundle()[:-2] + struct.pack("<H", 22) + end + bytes(18)),
        "another-zip-in-front": later(lambda: _zip([("evil", b"evil")]) + good.bundle()),
        "bytes-behind": later(lambda: good.bundle() + bytes(100)),
        "two-disks": patched(end, 4, b"\x01\x00"),
        "65535-entries": patched(end, 8, b"\xff\xff\xff\xff"),
        "no-entries": later(lambda: end + bytes(18)),
        "zeros-of-1.9-gb": _zeros(1_900_000_000, 1),
        "zeros-of-20-gb": _zeros(1_900_000_000, 11),
        "a-quine-of-overlaps": later(_overlapping),
        "a-hundred-thousand-members": later(lambda: _zip([(f"{k}", b"") for k in range(100_000)], method=zipfile.ZIP_STORED)),
        "lzma-members": _forged(lambda members: None, method=zipfile.ZIP_LZMA),
        "a-tar": later(good.archive),
    }  # fmt: skip
    slow = {"zeros-of-1.9-gb", "zeros-of-20-gb", "a-quine-of-overlaps", "a-hundred-thousand-members", "lzma-members"}
    for name, content in bundles.items():
        yield BUNDLE.case(f"bundle/{name}", content, quick=name not in slow)
    for part in (0.1, 0.5, 0.9, 0.99):
        yield BUNDLE.case(
            f"bundle/cut-at-{part}",
            later(lambda part=part: good.bundle()[: int(part * len(good.bundle()))]),
            quick=True,
        )
    for number in range(8):
        yield BUNDLE.case(f"bundle/turned-{number}", later(lambda number=number: _turned(number)), quick=True)
    for name, content in PLACES.items():
        yield BUNDLE.case(f"bundle/{name}", content, quick=name in {"pipe", "endless-device", "8-gib"})


def _turned(number: int) -> bytes:
    """One byte of a member's content or name turned; times and attributes, which nothing reads, are left alone."""
    data = bytearray(good.bundle())
    at = data.index(b"manifest.json") + 20 + number * 97
    data[at] ^= 0x41
    return bytes(data)


def _zeros(size: int, count: int) -> Content:
    """Members of zeros beside the good ones, with a manifest that agrees."""

    def make(path: Path) -> None:
        digest = hashlib.sha256()
        for _ in range(size >> 20):
            digest.update(bytes(1 << 20))
        digest.update(bytes(size & (1 << 20) - 1))
        members = {name: data for name, data in _members().items() if name != "manifest.json"}
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
        hashes |= {f"zeros-{number}": digest.hexdigest() for number in range(count)}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("manifest.json", json.dumps(hashes))
            for name, data in members.items():
                archive.writestr(name, data)
            for number in range(count):
                with archive.open(f"zeros-{number}", "w") as member:
                    for _ in range(size >> 20):
                        member.write(bytes(1 << 20))
                    member.write(bytes(size & (1 << 20) - 1))

    return make


def _overlapping() -> bytes:
    """Many entries of the directory that all point at one member of 100 MB."""
    single = _zip([("a", bytes(100_000_000))], manifest=False)
    at = single.index(b"PK\x01\x02")
    stop = single.index(b"PK\x05\x06")
    entry = single[at:stop]
    entries = b"".join(entry[:46] + bytes([97 + number % 26]) + entry[47:] for number in range(200))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 200, 200, len(entries), at, 0)
    return single[:at] + entries + end


def _run_folders() -> Iterator[Case]:
    def changed(change: Callable[[Path, dict[str, Any]], object]) -> Content:
        def make(path: Path) -> None:
            good.run_folder(path)
            report = json.loads((path / "report.json").read_text())
            change(path, report)
            if (path / "report.json").is_file() and not (path / "report.json").is_symlink():
                (path / "report.json").write_text(json.dumps(report))

        return make

    def firmware(name: str) -> Content:
        fields = {"arena_bytes": 1, "operators": {}}

        def change(path: Path, report: dict[str, Any]) -> None:
            del path
            report["variants"][1]["firmware"] = {**fields, "files": [name]}

        return changed(change)

    def artifact(name: str) -> Content:
        def change(path: Path, report: dict[str, Any]) -> None:
            (path.parent / "secret.onnx").write_bytes(good.model("onnxruntime-int8"))
            report["variants"][1]["artifact"]["path"] = name.replace("SECRET", str(path.parent / "secret.onnx"))

        return changed(change)

    def replaced(name: str, content: Content) -> Content:
        def change(path: Path, report: dict[str, Any]) -> None:
            del report
            (path / name).unlink()
            content(path / name) if callable(content) else (path / name).write_bytes(content)

        return changed(change)

    folders: dict[str, Content] = {
        "firmware-of-etc-passwd": firmware("/etc/passwd"),
        "firmware-that-climbs": firmware("../../../../etc/passwd"),
        "firmware-in-backslashes": firmware("..\\..\\secret"),
        "a-model-outside": artifact("../secret.onnx"),
        "a-model-at-an-absolute-path": artifact("SECRET"),
        "a-page-that-is-a-link": replaced("report.html", link("/etc/passwd")),
        "a-page-that-is-a-link-to-a-device": replaced("report.html", link("/dev/zero")),
        "a-summary-that-is-a-pipe": replaced("report.md", os.mkfifo),
        "a-report-that-is-a-pipe": replaced("report.json", os.mkfifo),
        "a-model-that-is-a-link": replaced("models/onnxruntime-int8.onnx", link("/etc/passwd")),
        "a-model-that-is-a-pipe": replaced("models/onnxruntime-int8.onnx", os.mkfifo),
        "a-model-that-is-a-device": replaced("models/onnxruntime-int8.onnx", link("/dev/zero")),
        "a-model-changed": replaced("models/onnxruntime-int8.onnx", b"evil"),
        "a-models-folder-that-is-a-link": changed(lambda path, report: ((path / "models").rename(path.parent / "elsewhere"), (path / "models").symlink_to("../elsewhere"))),
        "a-page-replaced": replaced("report.html", b"<script>alert(1)</script>"),
    }  # fmt: skip
    for name, content in folders.items():
        # a page is text for people; whether it is this report's shows in `verify`
        harmless = {
            "a-page-replaced": "the page is written anew or said to be another",
            "a-summary-that-is-a-pipe": "the summary is not packed, so it is not opened",
        }
        allowed = frozenset({0, 2}) if name in harmless else frozenset({2})
        why = harmless.get(name, "")
        yield RUN.case(
            f"run-folder/{name}",
            content,
            allowed=allowed,
            why=why,
            quick=name.startswith(("firm", "a-model-o", "a-page-that")),
        )
    for name in ("pipe", "endless-device", "empty", "dangling-link", "noise"):
        yield RUN.case(f"run-folder/{name}", PLACES[name])
    whole: Content = good.run_folder
    for name in ("folder", "pipe", "dangling-link", "link-to-itself"):
        allowed = frozenset({0, 2}) if name != "folder" else frozenset({2})
        yield Door("bundle.zip", RUN.arguments, {"run": whole}).case(
            f"out/bundle-onto-{name}",
            PLACES[name],
            allowed=allowed,
            why="a bundle may replace what is no folder" if 0 in allowed else "",
        )
