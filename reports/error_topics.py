"""Which section of the troubleshooting page an error belongs to, by the module that raises it.

The page has one anchor per topic, `troubleshooting/#TOPIC`, where all messages of its modules are listed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_MODULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "calibration": "faces",
        "calibration.bin_file": "pairs",
        "calibration.cfp_protocol": "pairs",
        "calibration.first_look": "pairs",
        "calibration.leaks": "pairs",
        "calibration.pair_sample": "pairs",
        "calibration.pairs_file": "pairs",
        "calibration.pairs_source": "pairs",
        "calibration.people_file": "pairs",
        "calibration.verification": "pairs",
        "pipeline.api": "command-line",
        "pipeline.bench": "measuring",
        "pipeline.checkpoints": "checkpoints",
        "pipeline.cli": "command-line",
        "pipeline.matrix": "matrix",
        "pipeline.network": "checkpoints",
        "pipeline.precision_search": "quantizing",
        "pipeline.prepare": "quantizing",
        "pipeline.quantize": "quantizing",
        "pipeline.quantize.faces": "faces",
        "pipeline.release": "releases",
        "pipeline.run": "command-line",
        "pipeline.run.on_devices": "devices",
        "pipeline.run.variant_build": "quantizing",
        "pipeline.run.variant_timing": "measuring",
        "pipeline.simulation": "quantizing",
        "pipeline.stages": "measuring",
        "pipeline.stages.device_embed": "devices",
        "pipeline.stages.face_reader": "faces",
        "pipeline.support": "files-and-disks",
        "pipeline.support.options": "command-line",
        "pipeline.synthetic": "faces",
        "pipeline.tools.align": "faces",
        "pipeline.tools.as_functions": "command-line",
        "pipeline.tools.benchmark": "measuring",
        "pipeline.tools.chosen_model": "models",
        "pipeline.tools.embedded": "pairs",
        "pipeline.tools.environments": "runtimes",
        "pipeline.tools.fetch": "downloads",
        "pipeline.tools.film": "faces",
        "pipeline.tools.inspection": "models",
        "pipeline.tools.localize": "devices",
        "pipeline.tools.match": "faces",
        "pipeline.tools.match_film": "faces",
        "pipeline.tools.photographs": "faces",
        "pipeline.tools.quantize_file": "quantizing",
        "pipeline.tools.shown_match": "faces",
        "pipeline.tools.sources": "downloads",
        "pipeline.tools.userland": "devices",
        "pipeline.train": "training",
        "reports": "reports-and-policies",
        "reports.all_pairs": "measuring",
        "reports.latency": "measuring",
        "reports.metrics": "measuring",
        "reports.paired": "measuring",
        "reports.protocols": "measuring",
        "reports.read": "files-and-disks",
        "reports.write": "files-and-disks",
        "targets": "models",
        "targets.c": "firmware",
        "targets.c.for_device": "devices",
        "targets.devices": "devices",
        "targets.environment": "runtimes",
        "targets.places": "devices",
        "targets.qdq": "quantizing",
        "targets.quant_params": "quantizing",
        "targets.requirements": "runtimes",
        "targets.table": "runtimes",
        "targets.tflite.runtime": "runtimes",
        "targets.tflite.target": "runtimes",
        "targets.tflite_micro": "firmware",
    }
)
"""A module, or a room for every module in it that has no line of its own."""
TOPICS: Final = frozenset(_MODULES.values())


def topic_of(module_name: str) -> str:
    """Anchor of a module's errors, or nothing where none is known and the page itself has to do.

    Args:
        module_name: as `__name__` says it, such as `ghostface_edge.calibration.bin_file`.
    """
    name = module_name.removeprefix("ghostface_edge.")
    while name not in _MODULES and "." in name:
        name = name.rpartition(".")[0]
    return _MODULES.get(name, "")
