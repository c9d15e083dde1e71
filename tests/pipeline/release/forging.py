"""What somebody does who changes a bundle and makes all else fit as well as can be."""

import hashlib
import json
import zipfile

import pytest

from ghostface_edge.pipeline.release import contents
from ghostface_edge.pipeline.release.agreement import input_hashes, shipped_hashes
from ghostface_edge.pipeline.release.archive import Writer
from ghostface_edge.pipeline.release.check import check_bundle
from ghostface_edge.pipeline.release.manifest import MANIFEST, FileEntry, Manifest, describe
from ghostface_edge.pipeline.release.signatures import MODEL_SIGNATURE, VERDICT_SIGNATURE
from ghostface_edge.pipeline.release.statement import ProvenanceStatement
from ghostface_edge.pipeline.support.code_version import code_version
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report


def statement_of(report):
    """What the run of such a report says of itself; every file came out of one step."""
    files = shipped_hashes(report)
    request = {
        "recipe": {"name": "balanced"},
        "variants": [variant.id for variant in report.local_variants],
        "input_type": "int8",
        "seed": report.tool.seed or 0,
        "calibration_faces": 300,
        "sampling": "per-identity",
        "latency_threads": 1,
        "policy": Policy.read().model_dump(mode="json"),
    }
    stage = {"name": "export", "key": "export-0", "inputs": {}, "files": files}
    taken = [{"name": name, "digest": {"sha256": value}} for name, value in input_hashes(report).items()]
    packages = [{"uri": f"pkg:pypi/{name}@{number}"} for name, number in report.tool.packages.items()]
    document = {
        "subject": [{"name": name, "digest": {"sha256": value}} for name, value in sorted(files.items())],
        "predicate": {
            "buildDefinition": {
                "externalParameters": request,
                "internalParameters": {
                    "code": code_version(),
                    "host": report.host.model_dump(mode="json"),
                    "stages": [stage],
                },
                "resolvedDependencies": [*taken, *packages],
            },
            "runDetails": {
                "builder": {"version": {"ghostface-edge": report.tool.version}},
                "metadata": {"startedOn": report.tool.started},
            },
        },
    }
    return ProvenanceStatement.from_json(json.dumps(document).encode(), "a test", "none")


def content(bundle):
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def entries(files):
    return {
        name: FileEntry(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in sorted(files.items())
    }


def pack(bundle, files):
    """As the writer does, in the order given."""
    with bundle.open("w+b") as file:
        writer = Writer(file)
        for name, data in files.items():
            writer.add(name, [data])
        writer.finish()


def forge(bundle, changed, *, manifest=True):
    """Pack a bundle again with other members (None takes one out) and a manifest that names them."""
    files = {name: data for name, data in (content(bundle) | changed).items() if data is not None}
    old = files.pop(MANIFEST)
    last = {name: files.pop(name) for name in (VERDICT_SIGNATURE, MODEL_SIGNATURE) if name in files}
    files = dict(sorted(files.items()))
    stated = Manifest.model_validate_json(old).model_copy(update={"files": entries(files)}) if manifest else None
    pack(bundle, {**files, MANIFEST: stated.to_json().encode() if stated else old, **last})


def forge_report(bundle, change, statement=statement_of, **changed):
    """Change the report, and make anew whatever follows from it, so that all of it fits together."""
    old = content(bundle)
    document = json.loads(old["report.json"])
    change(document)
    report = Report.model_validate(document)
    ids = [entry.id for entry in Manifest.model_validate_json(old[MANIFEST]).variants]
    taken = {name: data for name, data in old.items() if name not in {MANIFEST, *contents.MADE}}
    taken |= {"report.json": report.to_json().encode(), **changed}
    shipping = [variant for variant in report.local_variants if variant.id in ids]
    sheets = contents.datasheets(shipping, taken.__getitem__, "forged", "none")
    bare = describe(report, shipping, statement(report), sheets, entries(taken))
    files = dict(sorted((taken | contents.made_documents(bare, report, pytest.fail)).items()))
    manifest = bare.model_copy(update={"files": entries(files)})
    pack(bundle, {**files, MANIFEST: manifest.to_json().encode()})


def variant(document, label):
    (found,) = [one for one in document["variants"] if one["id"] == label]
    return found


def refusal(bundle, **options):
    with pytest.raises(InputError) as refused:
        check_bundle(bundle, **options)
    return str(refused.value)
