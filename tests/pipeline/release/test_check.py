import hashlib
import io
import json
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ghostface_edge.pipeline.release.bundle import write_bundle
from ghostface_edge.pipeline.release.check import check_bundle
from ghostface_edge.pipeline.release.manifest import FORMAT_VERSION
from ghostface_edge.pipeline.release.statement import ProvenanceStatement
from ghostface_edge.pipeline.support.dsse import Signer, read_public_key
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report

from . import tampering
from .forging import content, forge, forge_report, pack, refusal, statement_of, variant

BUNDLES = Path(__file__).with_name("bundles")


@pytest.fixture(scope="session")
def two_signed(finished, tmp_path_factory):
    """A signed bundle, another of the same key, and that."""
    folder = tmp_path_factory.mktemp("signed")
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "private.pem").write_bytes(private)
    (folder / "public.pem").write_bytes(public)
    signer = Signer.read(folder / "private.pem", None)
    write_bundle(finished[0], folder / "whole.zip", signer=signer)
    write_bundle(finished[0], folder / "part.zip", variants=["openvino-int8"], signer=signer)
    return (folder / "whole.zip").read_bytes(), (folder / "part.zip").read_bytes(), folder / "public.pem"


def test_one_byte_anywhere(two_signed, tmp_path):
    whole, _, public = two_signed
    for change in tampering.byte_changes(whole, 300, seed=12):
        said = tampering.refusal_of(change, tmp_path / "x.zip", public)
        assert said, change.what
        assert tampering.is_named(change, said), (change.what, said)


def test_every_change_of_the_structure(two_signed, tmp_path):
    whole, other, public = two_signed
    tried = 0
    for change in tampering.structural_changes(whole, other):
        said = tampering.refusal_of(change, tmp_path / "x.zip", public)
        assert said, change.what
        assert tampering.is_named(change, said), (change.what, said)
        tried += 1
    assert tried == 31
    (tmp_path / "x.zip").write_bytes(whole)
    assert check_bundle(tmp_path / "x.zip", read_public_key(public)).is_believed


@pytest.mark.parametrize("path", sorted(BUNDLES.glob("*.zip")), ids=lambda path: path.stem)
def test_a_bundle_of_every_format_is_taken_forever(path):
    """One is kept when a format is released: that of `finished`, signed by a key that is then forgotten."""
    checked = check_bundle(path, read_public_key(path.with_suffix(".pem")))
    assert checked.is_believed
    assert checked.manifest.format_version == int(path.stem.removeprefix("format-"))
    assert checked.report.gate.verdict == "pass"


def test_the_format_of_now_is_kept():
    assert (BUNDLES / f"format-{FORMAT_VERSION}.zip").is_file()


def test_damaged_content_is_named(bundle):
    forge(bundle, {"models/net-openvino-int8.bin": b"v" * 900}, manifest=False)
    assert "models/net-openvino-int8.bin has changed since it was bundled" in refusal(bundle)
    good = bundle.read_bytes()
    bundle.write_bytes(good.replace(b"v" * 900, b"v" * 899 + b"u"))
    assert "models/net-openvino-int8.bin is damaged: its CRC" in refusal(bundle)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"models/net-openvino-int8.bin": b"v" * 900}, "net-openvino-int8.bin is not the file that the report"),
        ({"models/net-openvino-int8.bin": b"v"}, "net-openvino-int8.bin is not the file that the report"),
        ({"models/net-ethos-u55-128.tflite": b"m"}, "net-ethos-u55-128.tflite is not the file"),
        ({"models/net-tflite-micro-int8.cc": b"C"}, "net-tflite-micro-int8.cc is not the file"),
        ({"models/net-onnxruntime-fp32.onnx.json": b"{}"}, "net-onnxruntime-fp32.onnx.json is not the file"),
        ({"models/net-openvino-int8.bin": None}, "models/net-openvino-int8.bin is missing"),
        ({"report.json": None}, "holds no report.json"),
        ({"report.md": None}, "report.md is missing"),
        ({"models/added.onnx": b"a"}, "it holds models/added.onnx, which its report does not name"),
        ({"inner.zip": b"PK\x05\x06" + b"\0" * 18}, "it holds inner.zip, which"),
        ({"report.html": b"<h1>pass</h1>"}, "report.html does not follow from report.json"),
        ({"report.md": b"## pass"}, "report.md does not follow from report.json"),
        ({"junit.xml": b"<testsuites/>"}, "junit.xml does not follow from report.json"),
        ({"report.json": b"[" * 60_000}, "report.json is no JSON"),
        ({"report.json": b"\0" * 70_000_000}, "report.json has 70,000,000 bytes, more than"),
    ],
)
def test_a_forged_file_with_a_manifest_that_fits(bundle, changed, said):
    forge(bundle, changed)
    assert said in refusal(bundle)


def test_renamed_and_swapped_models(bundle):
    files = content(bundle)
    first, second = "models/net-onnxruntime-fp32.onnx", "models/net-tflite-micro-int8.tflite"
    good = bundle.read_bytes()
    forge(bundle, {first: files[second], second: files[first]})
    assert "net-onnxruntime-fp32.onnx is not the file" in refusal(bundle)
    bundle.write_bytes(good)
    forge(bundle, {first: None, "models/other.onnx": files[first]})
    assert "net-onnxruntime-fp32.onnx is missing" in refusal(bundle)


def test_bytes_that_move_from_one_file_of_a_model_to_the_other(bundle):
    """The model's SHA-256 is over both, one after the other; a report's hash of each tells them apart."""
    files = content(bundle)
    weights, graph = "models/net-openvino-int8.bin", "models/net-openvino-int8.xml"
    forge(bundle, {graph: files[graph][:-1], weights: files[graph][-1:] + files[weights]})
    assert "is not the file that the report is about" in refusal(bundle)


def test_a_manifest_that_says_something_else(bundle):
    good = content(bundle)["manifest.json"]
    said = json.loads(good)
    first = said["variants"][0]["id"]
    for manifest, refused in (
        (b"", "manifest.json is no JSON"),
        (b"{}", "has format_version None"),
        (b"[" * 60_000, "manifest.json is no JSON"),
        (good.replace(b'"format_version": 1', b'"format_version": 2'), "has format_version 2, this tool reads 1"),
        (good.replace(b'"format_version": 1', b'"format_version": true'), "has format_version True"),
        (good.replace(b"{\n", b'{\n  "mood": "good",\n', 1), "manifest.json is not valid: mood"),
        (good + b" ", "not written as a bundle's is"),
        (good.replace(f'"id": "{first}"'.encode(), b'"id": "other"'), "names variants that are not those"),
        (good.replace(b'"fnmr"', b'"fnmrs"'), "manifest.json") if b'"fnmr"' in good else (b"5", "format_version"),
        (good.replace(b'"colour": "RGB"', b'"colour": "BGR"'), "its preprocessing does not follow"),
        (good.replace(b'"accuracy": 0.95', b'"accuracy": 0.99', 1), "its variants does not follow"),
        (good.replace(b'"policy": "default"', b'"policy": "strict"', 1), "manifest.json: its verdict does not follow"),
    ):
        forge(bundle, {"manifest.json": manifest}, manifest=False)
        assert refused in refusal(bundle)
    forge(bundle, {"manifest.json": b"[" * 9_000_000}, manifest=False)
    assert "manifest.json has 9,000,000 bytes, more than" in refusal(bundle)


def test_members_in_another_order(bundle):
    pack(bundle, dict(reversed(content(bundle).items())))
    assert "not in the order" in refusal(bundle)


def test_a_forged_verdict_or_figure(bundle):
    good = bundle.read_bytes()

    def nobody_looks(document):
        for check in document["gate"]["checks"]:
            if check["name"] == "size_ratio" and check["variant"] == "openvino-int8":
                check |= {"measured": 0.2, "reason": "openvino-int8: size / FP32 0.2 x, limit <= 0.5 x"}

    forge_report(bundle, nobody_looks)
    assert "its gate's check size_ratio of openvino-int8 does not follow" in refusal(bundle)
    bundle.write_bytes(good)
    forge_report(bundle, lambda document: document["gate"]["checks"].pop(5))
    assert "its gate lacks the check" in refusal(bundle)
    bundle.write_bytes(good)
    with pytest.raises(InputError, match="inconclusive, but the checks make it pass"):
        Report.from_json(forged_verdict(bundle), "a test")


def forged_verdict(bundle):
    document = json.loads(content(bundle)["report.json"])
    document["gate"]["verdict"] = "inconclusive"
    return json.dumps(document)


def test_a_report_that_fails_its_policy_is_a_good_bundle(run_dir, small_report, tmp_path):
    document = small_report.model_dump()
    variant(document, "openvino-int8")["artifact"]["fp32_bytes"] = 1000
    report = judge_report(Report.model_validate(document))
    (run_dir / "report.json").write_text(report.to_json())
    (run_dir / "provenance.json").write_text(statement_of(report).to_json())
    write_bundle(run_dir, tmp_path / "x.zip")
    assert check_bundle(tmp_path / "x.zip").report.gate.verdict == "fail"


def other_release(report):
    statement = statement_of(report)
    definition = statement.predicate.build_definition
    making = definition.internal_parameters.model_copy(update={"code": "0" * 64})
    definition = definition.model_copy(update={"internal_parameters": making})
    return statement.model_copy(
        update={"predicate": statement.predicate.model_copy(update={"build_definition": definition})}
    )


def test_words_of_another_release_are_left_to_it_and_figures_are_not(bundle):
    assert check_bundle(bundle).is_made_again

    def nothing(document):
        del document

    forge_report(bundle, nothing, other_release)
    forge(bundle, {"report.md": b"other words"})
    assert not check_bundle(bundle).is_made_again
    forge(bundle, {"models/net-openvino-int8.bin": b"v" * 900})
    assert "net-openvino-int8.bin is not the file" in refusal(bundle)


def forged_fail(document):
    """The release fails, and its gate says pass."""
    variant(document, "openvino-int8")["artifact"]["fp32_bytes"] = 1000
    for check in document["gate"]["checks"]:
        if check["name"] == "size_ratio" and check["variant"] == "openvino-int8":
            check |= {"measured": 0.2, "reason": "openvino-int8: size / FP32 0.2 x, limit <= 0.5 x"}


@pytest.mark.parametrize("statement", [statement_of, other_release])
def test_a_verdict_that_does_not_follow_whoever_made_it(bundle, statement):
    forge_report(bundle, forged_fail, statement)
    assert "its verdict is pass, but by its own policy, default, it is fail" in refusal(bundle)


def by_policy(policy):
    """The statement of a run that was judged by a policy of its own."""

    def statement(report):
        document = json.loads(statement_of(report).to_json())
        request = document["predicate"]["buildDefinition"]["externalParameters"]
        request["policy"] = policy.model_dump(mode="json", exclude_none=True)
        return ProvenanceStatement.from_json(json.dumps(document).encode(), "a test", "none")

    return statement


def test_a_check_that_was_taken_out(bundle):
    """Of a policy that does not ship, the checks alone would not tell that one is gone."""
    rules = [
        {"metric": "accuracy", "variants": "*", "min": 0.9},
        {"metric": "auc", "variants": "openvino-*", "min": 0.9},
    ]
    policy = Policy.model_validate({"schema_version": 1, "name": "mine", "rules": rules})

    def judged(document):
        document["gate"] = judge_report(Report.model_validate(document), policy).gate.model_dump(mode="json")

    good = bundle.read_bytes()
    forge_report(bundle, judged, by_policy(policy))
    assert check_bundle(bundle).report.gate.policy == "mine"
    bundle.write_bytes(good)

    def without_one(document):
        judged(document)
        document["gate"]["checks"] = [one for one in document["gate"]["checks"] if one["name"] != "auc"]

    forge_report(bundle, without_one, by_policy(policy))
    assert "its gate is not what its own policy, mine, gives" in refusal(bundle)


def test_a_gate_that_compared_with_a_baseline(bundle):
    forge_report(bundle, lambda document: document["gate"].update(baseline="net (2026-10-01)"))
    assert check_bundle(bundle).manifest.verdict.baseline == "net (2026-10-01)"


def test_another_model_than_was_measured(bundle):
    """Each file is the report's, together they are not."""
    forge_report(bundle, lambda document: variant(document, "openvino-int8")["artifact"].update(sha256="0" * 64))
    assert "openvino-int8 is not the model that was measured" in refusal(bundle)


def test_a_verdict_by_another_policy(bundle):
    assert check_bundle(bundle, policy=Policy.read()).report.gate.verdict == "pass"
    strict = Policy.model_validate(
        {"schema_version": 1, "name": "strict", "rules": [{"metric": "accuracy", "variants": "*", "min": 0.99}]}
    )
    assert "its verdict is pass, but by the policy strict it is fail" in refusal(bundle, policy=strict)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("seed",), 7, "differ in the run's seed"),
        (("recipe", "name"), "best", None),
        (("policy", "name"), "mine", "differ in the run's policy"),
    ],
)
def test_a_request_that_was_not_the_run_s(bundle, place, value, said):
    def other(report):
        document = json.loads(statement_of(report).to_json())
        part = document["predicate"]["buildDefinition"]["externalParameters"]
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = value
        return ProvenanceStatement.from_json(json.dumps(document).encode(), "a test", "none")

    forge_report(bundle, lambda document: document, other)
    if said is None:  # the report does not tell: only a signature does
        check_bundle(bundle)
    else:
        assert said in refusal(bundle)


@pytest.mark.parametrize("what", ["subject", "extra subject", "step", "packages", "checkpoint", "started"])
def test_an_origin_of_something_else(bundle, what):
    def other(report):
        document = json.loads(statement_of(report).to_json())
        definition = document["predicate"]["buildDefinition"]
        name = "models/net-openvino-int8.bin"
        if what == "subject":
            next(one for one in document["subject"] if one["name"] == name)["digest"]["sha256"] = "1" * 64
        elif what == "extra subject":
            document["subject"].append({"name": "other", "digest": {"sha256": "1" * 64}})
        elif what == "step":
            definition["internalParameters"]["stages"][0]["files"][name] = "1" * 64
        elif what == "packages":
            definition["resolvedDependencies"] = [
                one for one in definition["resolvedDependencies"] if one.get("uri") != "pkg:pypi/numpy@2.4.6"
            ]
        elif what == "checkpoint":
            definition["resolvedDependencies"][0]["digest"]["sha256"] = "1" * 64
        else:
            document["predicate"]["runDetails"]["metadata"]["startedOn"] = "2026-11-03T10:00:00+00:00"
        return ProvenanceStatement.from_json(json.dumps(document).encode(), "a test", "none")

    forge_report(bundle, lambda document: document["tool"].update(packages={"numpy": "2.4.6"}), other)
    said = {
        "subject": "models/net-openvino-int8.bin is not the file that its provenance is about",
        "extra subject": "about other, which its report does not name",
        "step": "models/net-openvino-int8.bin: no step of its provenance made that file",
        "packages": "differ in the run's packages",
        "checkpoint": "differ in the run's inputs",
        "started": "differ in the run's start",
    }
    assert said[what] in refusal(bundle)


def test_another_list_of_calibration_faces(bundle):
    forge(bundle, {"models/calibration.sha256": b"0" * 64 + b"  someone/2.png\n"})
    assert "models/calibration.sha256 does not list the faces" in refusal(bundle)


def test_a_datasheet_that_is_none(bundle):
    data = b"[1]"
    name = "models/net-onnxruntime-fp32.onnx.json"

    def change(document):
        variant(document, "onnxruntime-fp32")["files"][name] = hashlib.sha256(data).hexdigest()

    with pytest.raises(InputError, match="is no datasheet"):
        forge_report(bundle, change, **{name: data})
    forge_report(bundle, change, **{name: b"{}"})
    assert f"{name} is not the file that the report is about" in refusal(bundle)


def test_figures_that_cannot_be_drawn(bundle):
    """A page is made of them to compare with the one in the bundle."""
    document = json.loads(content(bundle)["report.json"])
    for one in document["variants"]:
        one["latency"] |= {"p50_ms": 5e-324, "p90_ms": 5e-324, "p99_ms": 5e-324}
    forge(bundle, {"report.json": Report.model_validate(document).to_json().encode()})
    assert "cannot be drawn" in refusal(bundle)


def test_zeros_cost_little(tmp_path):
    """1.9 GB of zeros that a zip holds in 2 MB, and as many in a bundle's own form, in a process of their own."""
    bomb = tmp_path / "bomb.zip"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("report.json", "w") as member:
        for _ in range(19):
            member.write(bytes(10**6))
    bomb.write_bytes(packed.getvalue())
    large = tmp_path / "large.zip"
    with large.open("w+b") as file:
        file.truncate(1_900_000_000)
    for path in (bomb, large):
        done = subprocess.run(
            [sys.executable, "-m", "ghostface_edge.pipeline", "verify", path],
            capture_output=True,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (200_000_000, 200_000_000)),
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
