"""The report's records of devices and of the variants that ran there."""

from collections.abc import Iterable, Mapping

import numpy as np

from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.run.on_devices import DeviceRun, NotThere, There
from ghostface_edge.pipeline.stages.latency import ROUNDS
from ghostface_edge.reports import devices as document
from ghostface_edge.reports.assess import PairSet, assess, assess_there
from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.reports.latency import summarize
from ghostface_edge.reports.variant import Latency, Status, Variant
from ghostface_edge.targets.devices.facts import Conditions
from ghostface_edge.targets.protocol import Embeddings


def device_record(run: DeviceRun, pairs: VerificationSet) -> document.Device:
    """A device, and what decided its times."""
    facts, conditions = run.facts, None
    if run.conditions is not None:
        before, after = run.conditions
        conditions = document.Conditions(
            governor=after.governor,
            before=_moment(before),
            after=_moment(after),
            throttled=before.throttled if after.throttled is None else after.throttled,
            cores=run.device.cores,
            load=before.load,
        )
    return document.Device(
        name=run.device.name,
        kind=run.device.kind,
        machine=facts.machine,
        cpu=facts.cpu,
        os=facts.os,
        python=facts.python,
        runtimes={name: version for name, version in facts.versions.items() if name != "numpy"},
        memory_mb=facts.memory_mb,
        faces=len(run.sample.rows),
        pairs=len(run.sample.pairs),
        same=int(np.count_nonzero(pairs.same[run.sample.pairs])),
        is_timed=run.device.is_timed,
        conditions=conditions,
        energy_mj_per_face=dict(run.energy_mj_per_face),
        sustained=run.sustained,
    )


def device_rows(
    run: DeviceRun,
    local: Mapping[str, Variant],
    main: VerificationSet,
    names: Iterable[tuple[str, str]] | None,
    reference: Embeddings,
    reference_name: str,
    seed: int,
) -> list[Variant]:
    """A row for every variant that should have run on a device.

    Args:
        run: what came of it.
        local: this host's rows by id.
        main: the set whose pairs were sampled.
        names: who is on the two images of each of its pairs, where known.
        reference: the float network's embeddings of all its images.
        reference_name: as the report shall name it.
        seed: of the bootstraps.
    """
    sample = run.sample
    known = None if names is None else list(names)
    pairs = PairSet(
        np.searchsorted(sample.rows, main.index[sample.pairs]),
        main.same[sample.pairs],
        main.folds,
        None if known is None else [known[pair] for pair in sample.pairs],
    )
    rows = []
    for row in run.rows:
        here = local[str(row.built.id)]
        same_file = {
            "id": f"{here.id}@{run.device.name}",
            "device": run.device.name,
            "runtime": here.runtime,
            "precision": here.precision,
            "method": here.method,
            "artifact": here.artifact,
        }
        if isinstance(row, NotThere):
            status = Status.SKIPPED if isinstance(row.error, RuntimeMissingError) else Status.FAILED
            rows.append(Variant.model_validate({**same_file, "status": status, "error": str(row.error)}))
            continue
        judged = assess(pairs, row.embeddings, reference[sample.rows], reference_name, seed=seed)
        of_here = row.built.embeddings[main.name][sample.rows]
        rows.append(
            Variant.model_validate(
                {
                    **same_file,
                    "status": Status.OK,
                    "accuracy": judged.accuracy,
                    "versus_reference": judged.versus_reference,
                    "versus_local": assess_there(pairs, row.embeddings, of_here, seed=seed),
                    "latency": _latency(row),
                    "instructions_per_face": row.instructions_per_face,
                    "footprint": row.footprint,
                }
            )
        )
    return rows


def _latency(row: There) -> Latency | None:
    if row.timing is None or row.baseline is None:
        return None
    summary = summarize(row.timing.samples_ms, row.baseline.samples_ms, rounds=ROUNDS)
    timing = row.timing
    return Latency.of(summary, threads=timing.threads, load_ms=timing.load_ms, peak_rss_mb=timing.peak_rss_mb)


def _moment(conditions: Conditions) -> document.Moment:
    return document.Moment(frequency_mhz=conditions.frequency_mhz, temperature_c=conditions.temperature_c)
