"""A run's folder in which one step gave something else, and all that was recorded of it fits."""

import hashlib
import json
from pathlib import Path

from ghostface_edge.pipeline.release.statement import PROVENANCE_FILE
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.report import Report


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def plant(out: Path, stage: str, variant: str | None, file: str, change):
    """Let a step have made other bytes of a file.

    Args:
        out: a run's folder, which is changed.
        stage: its name.
        variant: that it was for, where it was for one.
        file: that it made.
        change: from bytes to bytes, where the file ships; else any.
    """
    statement = json.loads((out / PROVENANCE_FILE).read_text())
    stages = statement["predicate"]["buildDefinition"]["internalParameters"]["stages"]
    (record,) = [one for one in stages if one["name"] == stage and variant in {None, one["inputs"].get("variant")}]
    was = record["files"][file]
    shipped = [one["name"] for one in statement["subject"] if one["digest"]["sha256"] == was]
    if not shipped:
        record["files"][file] = sha256(b"other")
        (out / PROVENANCE_FILE).write_text(json.dumps(statement))
        return
    (name,) = shipped
    data = change((out / name).read_bytes())
    (out / name).write_bytes(data)
    record["files"][file] = sha256(data)
    for one in statement["subject"]:
        if one["name"] == name:
            one["digest"]["sha256"] = sha256(data)
    (out / PROVENANCE_FILE).write_text(json.dumps(statement))
    document = json.loads((out / "report.json").read_text())
    for one in document["variants"]:
        if name in one["files"]:
            one["files"][name] = sha256(data)
            parts = [out / path for path in one["files"] if not path.endswith(".json")]
            whole = b"".join(path.read_bytes() for path in sorted(parts, key=lambda path: path.suffix, reverse=True))
            one["artifact"] |= {"bytes": len(whole), "sha256": sha256(whole)}
    sizes = {one["runtime"]: one["artifact"]["bytes"] for one in document["variants"] if one["precision"] == "fp32"}
    for one in document["variants"]:
        if one["runtime"] in sizes:
            one["artifact"]["fp32_bytes"] = sizes[one["runtime"]]
    (out / "report.json").write_text(judge_report(Report.model_validate(document)).to_json())


def with_initializer(data: bytes, change) -> bytes:
    """An ONNX file whose first float tensor of several values is another."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_model_from_string(data)
    tensor = next(one for one in model.graph.initializer if one.data_type in {1, 10} and len(one.dims) > 1)
    tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor).copy()), tensor.name))
    return model.SerializeToString()
