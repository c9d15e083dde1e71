"""`bom.cdx.json`: bill of materials of a bundle, with a model card for every model.

In: the manifest and the report. Out: CycloneDX 1.6 as JSON. Written field by field: the format's Python library has no
model cards yet; its validator holds this to the schema in the tests.
Source: CycloneDX 1.6, ECMA-424.
"""

import uuid
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from pydantic import JsonValue

from ghostface_edge.pipeline.release.agreement import input_hashes
from ghostface_edge.pipeline.release.integrator import RUNNERS
from ghostface_edge.pipeline.release.manifest import FileEntry, Manifest, VariantEntry
from ghostface_edge.pipeline.release.statement import PYPI
from ghostface_edge.reports.json_text import to_json
from ghostface_edge.reports.report import Report
from ghostface_edge.targets.environment import NodeEnvironment
from ghostface_edge.targets.table import ENVIRONMENTS, load_environment, load_target

_NAMESPACE: Final = uuid.UUID("6a2f7d0e-0c7c-5a66-9d1b-0d5f3f6f2b11")
"""Of serial numbers: the same bundle has the same one."""
_PREFIX: Final = "ghostface-edge"
_CHECKPOINT, _CALIBRATION = "checkpoint", "calibration"
_NPM: Final = "pkg:npm/"
_Part = dict[str, JsonValue]


def bill_of_materials(manifest: Manifest, report: Report, weights_licence: str | None) -> str:
    """Write the bill.

    Args:
        manifest: of the bundle.
        report: of the run.
        weights_licence: SPDX identifier, where it is known.
    """
    licences: list[JsonValue] = [] if weights_licence is None else [{"license": {"id": weights_licence}}]
    data = {name: sha256 for name, sha256 in input_hashes(report).items() if name != _CHECKPOINT}
    libraries = dict(_libraries(manifest.provenance.packages, report.tool.packages))
    needs: list[JsonValue] = [
        {"ref": variant.id, "dependsOn": _needs(variant, libraries)} for variant in manifest.variants
    ]
    models = [_model(variant, manifest, report, licences) for variant in manifest.variants]
    bill: _Part = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, manifest.to_json())}",
        "version": 1,
        "metadata": {
            **({} if report.tool.started is None else {"timestamp": report.tool.started}),
            "tools": {
                "components": [{"type": "application", "name": manifest.tool.name, "version": manifest.tool.version}]
            },
            "component": {
                "type": "machine-learning-model",
                "bom-ref": _CHECKPOINT,
                "name": report.model.name,
                "hashes": _hashes(report.model.sha256),
                "licenses": licences,
            },
        },
        "components": [
            *models,
            *(_data(name, sha256) for name, sha256 in data.items()),
            *_runners(manifest.files),
            *libraries.values(),
        ],
        "dependencies": [{"ref": _CHECKPOINT}, *needs],
    }
    return to_json(bill) + "\n"


def _model(variant: VariantEntry, manifest: Manifest, report: Report, licences: list[JsonValue]) -> _Part:
    return {
        "type": "machine-learning-model",
        "bom-ref": variant.id,
        "name": variant.artifact,
        "version": manifest.files[variant.artifact].sha256[:16],
        "description": f"{report.model.name} for {variant.runtime} in {variant.precision.upper()}",
        "hashes": _hashes(manifest.files[variant.artifact].sha256),
        "licenses": licences,
        "components": [_file(name, manifest.files[name], variant.id) for name in variant.files],
        "modelCard": _card(variant, report),
    }


def _card(variant: VariantEntry, report: Report) -> _Part:
    model = report.model
    sheet = variant.datasheet or {}
    formats = {name: part.get("dtype") for name, part in sheet.items() if isinstance(part, dict)}
    taken = f"{formats.get('input') or 'float32'} RGB pixels of an aligned face, 112x112"
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "face recognition: embedding of an aligned face",
            "architectureFamily": "convolutional network",
            "modelArchitecture": f"{model.architecture}, width {model.width:g}, stride {model.stride}",
            "datasets": [{"ref": _data_ref(_CALIBRATION)}],
            "inputs": [{"format": taken}],
            "outputs": [{"format": f"embedding of {model.embedding_size} numbers"}],
        },
        "quantitativeAnalysis": {"performanceMetrics": list(_metrics(variant, report))},
        "considerations": {
            "useCases": ["comparing faces of people who agreed to it"],
            "technicalLimitations": [
                f"thresholds hold for faces as those of {report.data.pairs.name}: choose yours on your own cameras"
            ],
        },
        "properties": [
            {"name": f"{_PREFIX}:precision", "value": variant.precision},
            {"name": f"{_PREFIX}:quantization", "value": variant.method},
            {"name": f"{_PREFIX}:verdict", "value": str(variant.verdict)},
        ],
    }


def _metrics(variant: VariantEntry, report: Report) -> Iterator[JsonValue]:
    figures, pairs = variant.figures, report.data.pairs.name
    if figures is not None:
        yield {"type": "accuracy", "value": repr(figures.accuracy), "slice": pairs}
        if figures.drop_pp is not None and figures.drop_ci95_pp is not None:
            low, high = map(repr, figures.drop_ci95_pp)
            interval: JsonValue = {"lowerBound": low, "upperBound": high}
            yield {
                "type": "accuracy lost against FP32, pp",
                "value": repr(figures.drop_pp),
                "slice": pairs,
                "confidenceInterval": interval,
            }
    for fmr, at in variant.at_fmr.items():
        yield {"type": f"FNMR at FMR {fmr}", "value": repr(at.fnmr), "slice": report.data.first_set}


def _needs(variant: VariantEntry, libraries: Mapping[str, _Part]) -> list[JsonValue]:
    """The checkpoint, and the packages that run the model."""
    used = [libraries[name]["bom-ref"] for name in load_target(variant.runtime).packages if name in libraries]
    return [_CHECKPOINT, _data_ref(_CALIBRATION), *used]


def _data(name: str, sha256: str) -> _Part:
    described: JsonValue = [{"type": "dataset", "name": name, "classification": "biometric"}]
    return {
        "type": "data",
        "bom-ref": _data_ref(name),
        "name": name,
        "hashes": _hashes(sha256),
        "data": described,
    }


def _runners(files: Mapping[str, FileEntry]) -> Iterator[_Part]:
    """One program for every folder or file of the runners."""
    names = sorted(name for name in files if name.startswith(RUNNERS))
    for runner, its in groupby(names, key=lambda name: name.split("/")[1]):
        yield {
            "type": "application",
            "bom-ref": f"{RUNNERS}{runner}",
            "name": f"{RUNNERS}{runner}",
            "components": [_file(name, files[name], RUNNERS) for name in its],
        }


def _file(name: str, entry: FileEntry, of: str) -> _Part:
    return {"type": "file", "bom-ref": f"{of}:{name}", "name": name, "hashes": _hashes(entry.sha256)}


def _libraries(here: Mapping[str, str], used: Mapping[str, str]) -> Iterator[tuple[str, _Part]]:
    """The packages of the run's own Python, then those that ran in environments of their own; by name."""
    for name, version in here.items():
        yield name, _library(name, version, PYPI)
    for environment in map(load_environment, ENVIRONMENTS):
        index = _NPM if isinstance(environment, NodeEnvironment) else PYPI
        for name in sorted(environment.versions.keys() & used.keys() - here.keys()):
            yield name, _library(name, used[name], index)


def _library(name: str, version: str, index: str) -> _Part:
    purl = f"{index}{name}@{version.replace('+', '%2B')}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _data_ref(name: str) -> str:
    return f"data:{name}"


def _hashes(sha256: str) -> list[JsonValue]:
    return [{"alg": "SHA-256", "content": sha256}]
