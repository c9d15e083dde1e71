"""What a bundle says of itself: manifest, page for the integrator, bill of materials, origin."""

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from ghostface_edge.pipeline.release.bom import bill_of_materials
from ghostface_edge.pipeline.release.check import check_bundle
from ghostface_edge.pipeline.release.integrator import readme
from ghostface_edge.pipeline.release.manifest import FileEntry, describe
from ghostface_edge.pipeline.release.statement import policy_sha256
from ghostface_edge.reports.policy import Policy

from .forging import content, statement_of

SHEET = {
    "model": "net.xml",
    "input": {"name": "faces", "shape": [-1, 3, 112, 112], "dtype": "float32", "layout": "NCHW", "quantization": None},
    "output": {"embedding_size": 512},
    "thresholds": {"0.001": {"fp32": 0.5, "this_model": 0.48}},
}


@pytest.fixture
def manifest(small_report):
    names = {name for one in small_report.variants for name in one.files} | {"report.json", "runners/c/model.c"}
    files = {name: FileEntry(bytes=1, sha256="e" * 64) for name in names}
    sheets = {"models/net-openvino-int8.xml": SHEET}
    return describe(small_report, small_report.variants, statement_of(small_report), sheets, files)


def test_variants_with_their_tensors_thresholds_and_figures(manifest, small_report):
    entry = next(one for one in manifest.variants if one.id == "openvino-int8")
    assert entry.datasheet == SHEET
    assert entry.figures.drop_ci95_pp == (-0.2, 0.2)
    assert entry.verdict == "pass"
    assert manifest.verdict.policy_sha256 == policy_sha256(Policy.read())
    assert manifest.model == small_report.model


def test_a_policy_is_known_by_its_values():
    policy = Policy.read()
    assert policy_sha256(policy) == policy_sha256(Policy.model_validate_json(policy.model_dump_json()))
    assert policy_sha256(policy) != policy_sha256(policy.model_copy(update={"name": "other"}))


def test_the_page_says_how_to_feed_and_where_to_decide(manifest):
    page = readme(manifest, "Apache-2.0")
    assert "**Verdict: pass** by the policy default" in page
    assert "| models/net-openvino-int8.xml | float32 `faces` | any x 3 x 112 x 112 | NCHW | x = (pixel" in page
    assert "| models/net-openvino-int8.xml | 0.001, on the listed pairs | 0.4800 | | |" in page
    assert "`runners/` holds programs" in page
    assert "Weights: Apache-2.0" in page
    assert "as the owner of the checkpoint says" in readme(manifest, None)


def test_strange_words_do_not_leave_their_cell(manifest):
    sheet = {"input": {"name": "a|b<script>\n# c", "shape": "none", "dtype": 5}}
    (first, *rest) = manifest.variants
    page = readme(
        manifest.model_copy(update={"variants": (first.model_copy(update={"datasheet": sheet}), *rest)}), None
    )
    assert "a\\|b&lt;script>\\n# c" in page


def test_the_bill_follows_its_schema(manifest, small_report):
    bill = bill_of_materials(manifest, small_report, "Apache-2.0")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    parts = {one["bom-ref"]: one for one in json.loads(bill)["components"]}
    card = parts["openvino-int8"]["modelCard"]
    assert card["modelParameters"]["datasets"] == [{"ref": "data:calibration"}]
    assert {one["type"] for one in card["quantitativeAnalysis"]["performanceMetrics"]} >= {"accuracy"}
    assert parts["data:calibration"]["hashes"][0]["content"] == small_report.data.calibration.sha256
    assert parts["runners/c"]["components"][0]["name"] == "runners/c/model.c"
    assert bill == bill_of_materials(manifest, small_report, "Apache-2.0")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill_of_materials(manifest, small_report, None)) is None


def test_the_bill_names_what_ran_in_an_environment_of_its_own(manifest, small_report):
    packages = small_report.tool.packages | {"onnxruntime-web": "1.30.0"}
    report = small_report.model_copy(update={"tool": small_report.tool.model_copy(update={"packages": packages})})
    (first, *others) = manifest.variants
    variants = (first.model_copy(update={"runtime": "web"}), *others)
    bill = bill_of_materials(manifest.model_copy(update={"variants": variants}), report, None)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    content = json.loads(bill)
    (part,) = (one for one in content["components"] if one["name"] == "onnxruntime-web")
    assert part["purl"] == "pkg:npm/onnxruntime-web@1.30.0"
    needs = {one["ref"]: one.get("dependsOn", ()) for one in content["dependencies"]}
    assert [one for one in needs if part["purl"] in needs[one]] == [first.id]


def test_a_bundle_s_own_bill_and_origin_are_valid(bundle):
    files = content(bundle)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(files["bom.cdx.json"].decode()) is None
    origin = json.loads(files["manifest.json"])["provenance"]
    Statement.copy_from_pb(ParseDict(origin, statement_pb2.Statement())).validate()
    predicate = ParseDict(origin["predicate"], provenance_pb2.Provenance())
    assert predicate.build_definition.build_type == "urn:ghostface-edge:run:v1"
    assert check_bundle(bundle).manifest.provenance.to_json() == json.dumps(origin, indent=2) + "\n"
