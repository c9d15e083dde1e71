"""One ONNX model to INT8 artifacts in a folder of the user's choice."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.face_reader import sample_faces
from ghostface_edge.pipeline.stages.firmware import make_firmware
from ghostface_edge.pipeline.stages.lower import lower
from ghostface_edge.pipeline.stages.quantize import Quantize
from ghostface_edge.pipeline.support.host import usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.protocol import InputType, Precision
from ghostface_edge.targets.requirements import require_input
from ghostface_edge.targets.table import VariantId, load_target

CALIBRATION_FACES = 2000


def quantize_file(
    model: Path,
    variants: Sequence[VariantId],
    calibration: Path,
    folder: Path,
    recipe: Recipe,
    seed: int,
    progress: Progress,
    *,
    input_type: InputType | None = None,
) -> list[Path]:
    """Write `<model>-<variant>.<ext>` for every INT8 variant, and what firmware needs; returns the paths.

    Args:
        model: float32 ONNX.
        variants: those of INT8 count.
        calibration: folder of aligned faces.
        folder: where to write.
        recipe: how.
        seed: decides which faces are drawn.
        progress: told how far it is.
        input_type: what the models shall take; None is each runtime's own.

    Raises:
        InputError: model, faces or folder cannot be used, or no INT8 variant is named.
        RuntimeMissingError: a runtime is not installed.
        ToolError: a quantizer failed.
    """
    wanted = [variant for variant in variants if variant.precision is Precision.INT8]
    if not wanted:
        raise InputError("no INT8 variant is named", fix="name a runtime, or a variant such as openvino-int8-stock")
    for variant in wanted:
        require_input(variant.runtime, load_target(variant.runtime).input_types, input_type)
        if variant.is_stock and input_type is not None:
            raise InputError(f"{variant} takes what the runtime's own quantizer chooses", fix="leave --input out")
    from ghostface_edge.targets.onnx_graph import is_made_for_runtime  # what it imports is heavy

    if is_made_for_runtime(read_onnx(model)):
        raise InputError(
            f"{model} is what a run made for one runtime; quantization starts from the float32 ONNX of the checkpoint",
            fix="write it with `ghostface-edge export CHECKPOINT -o MODEL.onnx`",
        )
    store = Store()
    faces = sample_faces(calibration, CALIBRATION_FACES, seed, store)
    written = []
    with store.scratch() as logs:
        context = StageContext(store, logs, progress, usable_cores(), limits=recipe.limits)
        quantize = Quantize(model, faces, recipe, seed)
        for variant in wanted:
            load_target(variant.runtime).require()
            if variant.is_stock:
                artifact = context.run(Convert(variant, model, faces))
            else:
                taken = input_type or InputType.INT8
                artifact = lower(context, variant, context.run(quantize), quantize, input_type=taken).artifact
            files = {f"{model.stem}-{variant}{file.suffix}": file for file in artifact.files}
            if variant.is_firmware:
                files |= {file.name: file for file in make_firmware(context, artifact, model.stem, str(variant)).files}
            for name, file in files.items():
                with replacing(folder / name) as partial:
                    shutil.copyfile(file, partial)
            written += [folder / name for name in files]
    return written
