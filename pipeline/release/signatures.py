"""What a bundle's signatures say: `model.sig` that these are all its files, `verdict.sig` what they were judged to be.

In: the manifest, hashes of the bundle's files. Out: the statements. The first is in the OpenSSF Model Signing format:
its own package checks an unpacked bundle. The second is an in-toto test result, by which a deployment tool can ask of a
file's hash whether it has passed, and under which policy.
Source: OpenSSF Model Signing, predicate v1.0; in-toto attestation framework, predicate test-result v0.1.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import JsonValue

from ghostface_edge.pipeline.release.manifest import Manifest
from ghostface_edge.pipeline.release.statement import STATEMENT
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.json_text import parse_json
from ghostface_edge.reports.report import Report, Verdict

MODEL_SIGNATURE: Final = "model.sig"
VERDICT_SIGNATURE: Final = "verdict.sig"
_MODEL_PREDICATE: Final = "https://model_signing/signature/v1.0"
_VERDICT_PREDICATE: Final = "https://in-toto.io/attestation/test-result/v0.1"
_RESULTS: Final = MappingProxyType({Verdict.PASS: "PASSED", Verdict.INCONCLUSIVE: "WARNED", Verdict.FAIL: "FAILED"})
_Statement = dict[str, JsonValue]


def model_statement(name: str, files: Mapping[str, str]) -> bytes:
    """Say that a model is made of these files.

    Args:
        name: of the model.
        files: SHA-256 of every file but the signature itself, by name.
    """
    ordered = dict(sorted(files.items(), key=lambda item: item[0].split("/")))
    resources: list[JsonValue] = [
        {"name": path, "algorithm": "sha256", "digest": sha256} for path, sha256 in ordered.items()
    ]
    return _encoded(
        {
            "_type": STATEMENT,
            "subject": [{"name": name, "digest": {"sha256": _root(ordered.values())}}],
            "predicateType": _MODEL_PREDICATE,
            "predicate": {
                "serialization": {
                    "method": "files",
                    "hash_type": "sha256",
                    "allow_symlinks": False,
                    "ignore_paths": [MODEL_SIGNATURE],
                },
                "resources": resources,
            },
        }
    )


def signed_files(statement: bytes, source: str, fix: str) -> dict[str, str]:
    """The files that a statement says a model is made of, whoever wrote it: SHA-256 by name.

    Raises:
        InputError: no statement of that kind, or one that contradicts itself.
    """
    said = parse_json(statement, source, fix=fix)
    try:
        if not isinstance(said, dict) or (said["_type"], said["predicateType"]) != (STATEMENT, _MODEL_PREDICATE):
            raise InputError(f"{source} is no signature of a model's files", fix=fix)
        predicate = said["predicate"]
        form = predicate["serialization"]
        if (form["method"], form["hash_type"], form["allow_symlinks"]) != ("files", "sha256", False):
            raise InputError(f"{source} hashes other than whole files by SHA-256", fix=fix)
        files = {str(one["name"]): str(one["digest"]) for one in predicate["resources"]}
        (subject,) = said["subject"]
        is_whole = len(files) == len(predicate["resources"]) and subject["digest"]["sha256"] == _root(files.values())
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(f"{source} is no signature of a model's files", fix=fix) from None
    if not is_whole:
        raise InputError(f"{source} contradicts itself: its files do not add up to its subject", fix=fix)
    return files


def verdict_statement(manifest: Manifest, report: Report) -> bytes:
    """Say how the models were judged, by which policy, and with which figures."""
    checks = report.gate.checks
    named: dict[Verdict, list[JsonValue]] = {
        verdict: [f"{check.variant}: {check.name} {check.limit}" for check in checks if check.verdict is verdict]
        for verdict in Verdict
    }
    variants: _Statement = {
        one.id: {
            "result": _RESULTS[one.verdict],
            "files": {name: manifest.files[name].sha256 for name in one.files},
            "figures": [
                {"check": check.name, "limit": check.limit, "measured": check.measured, "verdict": str(check.verdict)}
                for check in checks
                if check.variant == one.id
            ],
        }
        for one in manifest.variants
    }
    names = sorted({name for one in manifest.variants for name in one.files} | {"report.json"})
    policy = manifest.verdict
    return _encoded(
        {
            "_type": STATEMENT,
            "subject": [{"name": name, "digest": {"sha256": manifest.files[name].sha256}} for name in names],
            "predicateType": _VERDICT_PREDICATE,
            "predicate": {
                "result": _RESULTS[policy.verdict],
                "configuration": [{"name": policy.policy, "digest": {"sha256": policy.policy_sha256}}],
                "passedTests": named[Verdict.PASS],
                "warnedTests": named[Verdict.INCONCLUSIVE],
                "failedTests": named[Verdict.FAIL],
                "variants": variants,
            },
        }
    )


def same_verdict(stated: bytes, due: bytes, source: str, fix: str) -> bool:
    """Whether two statements give the same files the same result by the same policy, in whatever other words.

    Args:
        stated: by whoever.
        due: by `verdict_statement`.
        source: names the first in errors.
        fix: what the user should do where it cannot be used.

    Raises:
        InputError: the first is no such statement.
    """
    try:
        return _claims(parse_json(stated, source, fix=fix)) == _claims(json.loads(due))
    except (KeyError, TypeError):
        raise InputError(f"{source} is no statement of a verdict", fix=fix) from None


def _claims(statement: Any) -> tuple[object, ...]:
    predicate = statement["predicate"]
    kind = statement["_type"], statement["predicateType"]
    return (*kind, statement["subject"], predicate["result"], predicate["configuration"])


def _encoded(statement: _Statement) -> bytes:
    return json.dumps(statement, indent=2, ensure_ascii=False, allow_nan=False).encode()


def _root(hashes: Iterable[str]) -> str:
    """One hash over all, in their order."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, hashes))).hexdigest()
