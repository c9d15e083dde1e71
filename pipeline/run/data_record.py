"""The report's records of the network and of the faces that went in."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.gallery_folder import GalleryFolder
from ghostface_edge.calibration.leaks import LeakReport
from ghostface_edge.pipeline.run.job import Inputs
from ghostface_edge.pipeline.stages.export import ExportedModel
from ghostface_edge.reports import report as document
from ghostface_edge.reports.digest import file_sha256


def model_record(model: ExportedModel, checkpoint: Path) -> document.ModelInfo:
    """The network that was deployed."""
    return document.ModelInfo(
        name=model.name,
        architecture=f"GhostFaceNetV{model.version}",
        width=model.width,
        stride=model.stride,
        embedding_size=model.embedding_size,
        parameters=model.parameters,
        mmacs=round(model.macs / 1e6, 3),
        sha256=file_sha256(checkpoint),
        activation=model.activation,
        preprocessing=model.preprocessing,
    )


def inspected_record(facts: Mapping[str, object]) -> document.ModelInfo:
    """The network that was to be deployed, by the facts that `inspect` gives of its checkpoint."""
    shared = (
        "name",
        "width",
        "stride",
        "embedding_size",
        "parameters",
        "mmacs",
        "sha256",
        "activation",
        "preprocessing",
    )
    return document.ModelInfo.model_validate(
        {"architecture": f"GhostFaceNetV{facts['version']}", **{name: facts[name] for name in shared}}
    )


def gallery_record(gallery: GalleryFolder) -> document.Gallery:
    """The folder of people whose faces were compared all against all."""
    return document.Gallery(
        path=str(gallery.path),
        sha256=gallery.sha256,
        name=gallery.name,
        images=len(gallery.files),
        people=len(gallery.people),
    )


def data_record(inputs: Inputs, leaks: LeakReport, allowed: tuple[str, ...]) -> document.Data:
    """The pairs and the calibration faces that were used."""
    calibration = inputs.calibration
    main, *further = (
        document.Pairs(
            path=str(pairs.path),
            sha256=pairs.sha256,
            count=len(pairs.same),
            name=pairs.name,
            same=int(np.count_nonzero(pairs.same)),
            images=len(pairs.images),
            protocol=f"LFW View 2: {pairs.protocol}, threshold from the others; cosine, no flip",
        )
        for pairs in inputs.sets
    )
    return document.Data(
        pairs=main,
        calibration=document.Calibration(
            images=len(calibration.files),
            identities=len(calibration.people),
            identities_shared_with_pairs=sum(name in calibration.people for name in leaks.identities),
            sha256=calibration.sha256,
            path=str(calibration.path),
            leak_guard=document.LeakGuard(
                checked=leaks.checked,
                found=tuple(str(leak) for leak in leaks.leaks),
                allowed=allowed,
                stranger_bound=leaks.stranger_bound,
                excluded=tuple(name for name in leaks.identities if name not in calibration.people),
            ),
        ),
        further_pairs=tuple(further),
        groups=None if inputs.people is None else inputs.people.record(inputs.first.people),
        gallery=None if inputs.gallery is None else gallery_record(inputs.gallery),
    )
