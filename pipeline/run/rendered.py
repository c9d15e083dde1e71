"""What a job runs on that is given nothing: the embedded network and rendered faces."""

from pathlib import Path

from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.render import RenderFaces
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store


def rendered_inputs(seed: int, out: Path, cores: int, progress: Progress) -> tuple[Path, list[Path], Path]:
    """Checkpoint, pairs and calibration folder."""
    context = StageContext(Store(), out / "logs", progress, cores)
    pairs, calibration = context.run(RenderFaces(seed))
    return default_checkpoint(), [pairs], calibration
