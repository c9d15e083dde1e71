"""When a fault comes: moments of a job, recognized from outside by what appears in its cache and output folders."""

from dataclasses import dataclass
from enum import StrEnum

from .job import RunningJob
from .reference import Reference, Stage

_PATIENCE_S = 300.0


class When(StrEnum):
    """Kinds of moments."""

    START = "start"
    """Before the first stage: imports, inputs."""
    BEGIN = "begin"
    """A stage has got its folder."""
    MIDST = "midst"
    """It is at work."""
    END = "end"
    """Its outcome has got its name."""
    WRITE = "write"
    """A file of the output is half written."""
    ANY = "any"
    """Whenever, over the whole job."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a job whose cache lacks one stage only."""

    when: When
    stage: Stage
    """The one that the cache lacks."""
    share: float
    """Between 0 and 1; where within the time that is meant."""

    def await_(self, job: RunningJob, reference: Reference) -> bool:
        """Return at that moment; False if the job ended before."""
        if self.when is When.START:
            return self._after(job, reference.start_s)
        if self.when is When.ANY:
            return self._after(job, reference.warm_s + self.stage.seconds)
        if self.when is When.WRITE:
            return self._at_half_written_file(job)
        if self.when is When.END:
            return job.until(lambda: self.stage.artifact in job.folders.artifacts(), timeout_s=_PATIENCE_S)
        if not job.until(job.folders.partials, timeout_s=_PATIENCE_S):
            return False
        return self.when is When.BEGIN or self._after(job, job.seconds + self.stage.seconds, job.seconds)

    def _after(self, job: RunningJob, end_s: float, begin_s: float = 0.0) -> bool:
        moment = begin_s + self.share * (end_s - begin_s)
        return job.until(lambda: job.seconds >= moment, timeout_s=_PATIENCE_S)

    def _at_half_written_file(self, job: RunningJob) -> bool:
        """One of the first files that are seen so; each is for a fraction of a millisecond."""
        wanted, seen = 1 + int(self.share * 3), set[str]()

        def is_there() -> bool:
            found = job.folders.half_written() - seen
            seen.update(found)
            return bool(found) and len(seen) >= wanted

        return job.until(is_there, timeout_s=_PATIENCE_S, pause_s=0.0)
