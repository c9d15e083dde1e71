"""The report of a run whose network could not be exported or run in FP32: no variant has figures, and each says why.

In: the job, the faces, what is known of the network, the error. Out: a report like any other, whose verdict fails.
"""

from ghostface_edge.calibration.leaks import merged
from ghostface_edge.pipeline.run.data_record import data_record, inspected_record, model_record
from ghostface_edge.pipeline.run.job import Inputs, Job
from ghostface_edge.pipeline.run.variant_build import failure, planned_method
from ghostface_edge.pipeline.run.variant_record import failed_record
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.export import ExportedModel
from ghostface_edge.pipeline.stages.leaks import FindLeaks
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.tools.inspection import Inspector
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.report import ModelInfo, Report, Tool


def failed_run(
    job: Job, inputs: Inputs, model: ExportedModel | None, error: ToolError, tool: Tool, context: StageContext
) -> Report:
    """Every variant failed by one error.

    Args:
        job: what was asked for.
        inputs: the faces that were read.
        model: None where the export failed; the checkpoint is asked what it is then.
        error: what no variant can do without.
        tool: what ran.
        context: what stages share.

    Raises:
        ToolError: the checkpoint cannot even be read, so that there is no network to report on.
    """
    context.progress.say(f"no variant can be made: {error}")
    leaks = merged([context.run(FindLeaks(inputs.calibration, each, "", None)) for each in inputs.judged_on])
    data = data_record(inputs, leaks, job.allowed_leaks)
    records = tuple(failed_record(failure(variant, planned_method(variant, None), error)) for variant in job.variants)
    return Report(
        tool=tool,
        host=describe_host(),
        model=_inspected(job, context) if model is None else model_record(model, job.checkpoint),
        data=data,
        variants=records,
        gate=judge(records, job.policy, data=data, baseline=job.baseline),
    )


def _inspected(job: Job, context: StageContext) -> ModelInfo:
    with context.open(Inspector, label="inspect", limit=context.limits.inspect) as inspector:
        return inspected_record(inspector.checkpoint(job.checkpoint))
