"""Where an artifact on a device parts from this host, and the likely cause."""

from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from ghostface_edge.calibration.aligned import FACE_SIZE, iterate_faces
from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.pipeline.stages.face_reader import read_pairs
from ghostface_edge.pipeline.support.host import describe_host, int8_saturates, usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.inspection import runtime_of
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.diagnosis.diagnose import Examination, OtherKernels
from ghostface_edge.targets.diagnosis.diagnosis import Diagnosis
from ghostface_edge.targets.diagnosis.sides import Sides
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.places.board import LOADERS
from ghostface_edge.targets.places.board_facts import PACKAGES
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import load_target

_FACES: Final = 8
"""So many go through both sides in one batch."""
_OTHER_KERNELS: Final = MappingProxyType(
    {
        "tflite": "the interpreter's reference kernels run there",
        "onnxruntime": "exact INT8 kernels run there, and this host's saturate, since it has no VNNI",
    }
)
"""What is the matter where a device has the kernels that a runtime can be asked for here."""


def localize(model: Path, device: Device, faces: Faces, progress: Progress) -> Diagnosis:
    """Run a model on this host and on a device, cut shorter and shorter.

    Raises:
        InputError: the model cannot be used, or its runtime runs on no device.
        ToolError: it does not run here, or the device is gone.
    """
    runtime = runtime_of(model)
    if runtime not in LOADERS:
        raise InputError(f"{model}: {runtime} has no far side on devices", fix=f"give a file of {', '.join(LOADERS)}")
    with ExitStack() as opened:
        folder = opened.enter_context(Store().scratch())
        worker = opened.enter_context(LOCAL.open(RuntimeWorker, runtime, log=folder / "here.log"))
        there = opened.enter_context(device.open(runtime, log=folder / "there.log"))
        kernels = None
        if runtime in _OTHER_KERNELS:
            here = Device("reference kernels", device.kind, LOCAL, str(folder / "models"))
            log = folder / "reference.log"
            side = opened.enter_context(here.open(runtime, log=log, reference_kernels=True))
            kernels = OtherKernels(side, _OTHER_KERNELS[runtime])
        opened.enter_context(progress.stage(f"{device.name}: find the first tensor that differs"))
        info = worker.inspect(model)
        batch = info.input_shape[0]
        sides = Sides(load_target(runtime), worker, there, faces[:batch] if batch > 0 else faces, folder)
        told = {name: version for name, version in there.facts().versions.items() if name in PACKAGES[runtime]}
        is_exact = runtime == "tflite" or not (info.macs_by_precision.get("int8") and int8_saturates(describe_host()))
        return Examination(model, sides, versions(PACKAGES[runtime]), told, kernels, is_exact).diagnose()


def faces_of(pairs: Path | None, calibration: Path | None, progress: Progress) -> Faces:
    """A few faces of a verification set or of a folder, else images like faces.

    Raises:
        InputError: they cannot be used.
    """
    if pairs is not None:
        found = read_pairs(PairsSource(pairs), Store(), usable_cores(), progress)
        return np.concatenate(list(iterate_faces(found.images[:_FACES], _FACES)))
    if calibration is not None:
        return sample(scan_folder(calibration), _FACES, seed=0).load()
    return face_like(_FACES, FACE_SIZE)
