"""The whole way from an artifact and a device to a cause.

A few faces go through both sides: the artifact as it is, then cut at one tensor after the other (`search`). A mistake
is named only where this host, making it too, comes to what the device gave (`input_causes`, `arrangement`), or where
the tensor itself shows it (`operator_causes`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from ghostface_edge.reports.errors import GhostfaceEdgeError, RuntimeMissingError
from ghostface_edge.reports.metrics import cosines
from ghostface_edge.targets.diagnosis.arrangement import arrangement_hypotheses
from ghostface_edge.targets.diagnosis.cause import Blame, Cause, Explanation, Hypothesis, best_explanation, explained
from ghostface_edge.targets.diagnosis.diagnosis import Diagnosis, Verdict
from ghostface_edge.targets.diagnosis.difference import Form, compare, is_same
from ghostface_edge.targets.diagnosis.input_causes import input_hypotheses
from ghostface_edge.targets.diagnosis.operator_causes import operator_cause
from ghostface_edge.targets.diagnosis.search import first_difference
from ghostface_edge.targets.diagnosis.sides import Outcome, Side, Sides
from ghostface_edge.targets.places.connection import ChildDeath
from ghostface_edge.targets.protocol import INPUT, ComputedTensor, Embeddings

LEAST_COSINE: Final = 0.95
"""Mean cosine that rounding alone leaves: 0.98 was measured between the furthest kernels."""
_ALL_SAME: Final = "nothing"
_SEND_AGAIN: Final = "remove the models there with `ghostface-edge devices clean`, and send it again"
_ASK: Final = "compare by hand what is done there with what this artifact's datasheet says"


@dataclass(frozen=True, slots=True)
class OtherKernels:
    """Kernels that this host can run as well, with the same numbers on every CPU."""

    side: Side
    told: str
    """What is the matter, where a device has them."""


@dataclass(frozen=True)
class Examination:
    """One artifact on a device.

    Args:
        artifact: as this host has it.
        sides: this host and the device.
        versions: of the runtime's packages, here.
        versions_there: on the device.
        other_kernels: where the runtime has such.
        is_exact: whether this host's own kernels do not saturate.
    """

    artifact: Path
    sides: Sides
    versions: Mapping[str, str] = field(default_factory=dict)
    versions_there: Mapping[str, str] = field(default_factory=dict)
    other_kernels: OtherKernels | None = None
    is_exact: bool = True

    def diagnose(self) -> Diagnosis:
        """Find the first tensor that differs, and why.

        Raises:
            ToolError: the artifact does not run here, or the device is gone.
        """
        whole = self.sides.run(self.artifact)
        ours, theirs = self.sides.embed_here(), self._embedded_there(whole)
        found = _figures(ours, theirs)
        if found.equal_faces == found.faces:
            return replace(found, verdict=Verdict.SAME, cause="the same bytes", fix=_ALL_SAME)
        if whole.there is not None and self.sides.device.sha256() != self.sides.sha256_here():
            return _judged(found, Cause("the model there has other bytes: damaged or stale", _SEND_AGAIN))
        if whole.difference is None:
            return _behind_the_network(found, ours, theirs)
        return self._inside(found, whole)

    def _inside(self, found: Diagnosis, whole: Outcome) -> Diagnosis:
        """The input or an operator is the matter."""
        tensors = self.sides.worker.tensors(self.artifact)
        tried: dict[str, Outcome] = {}
        wanted = _conspicuous(whole)

        def differs(tensor: ComputedTensor) -> bool:
            outcome = tried[tensor.name] = self.sides.run(self.sides.cut(self.artifact, tensor.name))
            found = outcome.difference
            if wanted is not None:
                return found is not None and found.form is wanted
            return (
                found is not None and found.form is not Form.FAILED
            )  # cut there, the model does not suit that runtime

        differs(tensors[-1])
        if tried[tensors[-1].name].difference is None:
            cause = Cause("another model runs there: sent anew, it gives the same", _SEND_AGAIN)
            return replace(_judged(found, cause), tensors_tried=1)
        first = first_difference(tensors, tensors[-1], differs)
        outcome = tried[first.name]
        found = replace(
            found,
            tensor=first.name,
            operator=first.operator,
            difference=str(outcome.difference),
            tensors_tried=len(tried),
        )
        entry = tried[tensors[0].name]
        is_blind = entry.there is None and whole.there is not None
        mistake = self._input_mistake(entry, whole) if is_blind or first.operator == INPUT else None
        if mistake is not None:
            return replace(_judged(found, mistake.hypothesis.cause), explained=mistake.explained)
        if self._has_other_kernels(first, outcome):
            return self._beyond(found)
        return self._operator(found, first, outcome)

    def _embedded_there(self, whole: Outcome) -> Embeddings | str:
        """Or why there are none."""
        if whole.there is None:
            return whole.failure
        try:
            return self.sides.device.embed(self.sides.faces)
        except (ChildDeath, RuntimeMissingError):
            raise
        except GhostfaceEdgeError as error:
            return error.message

    def _input_mistake(self, entry: Outcome, whole: Outcome) -> Explanation | None:
        """Told by the input itself where the device shows it, else by the output, which it explains so well."""
        if whole.there is None:
            return None
        worker = self.sides.worker
        mistakes = list(input_hypotheses(self.sides.faces, worker.inspect(self.artifact)))
        if entry.there is not None:
            mistakes += arrangement_hypotheses(entry.here, entry.there)
            best = best_explanation(entry.here, entry.there, mistakes)
            mistakes = [] if best is None else [best.hypothesis]
        worker.load(self.artifact, 1, len(self.sides.faces))
        outputs = [Hypothesis(each.cause, worker.infer(each.tensor.astype(entry.here.dtype))) for each in mistakes]
        if entry.there is None or not outputs:
            return best_explanation(whole.here, whole.there, outputs)
        return Explanation(outputs[0], explained(whole.here, whole.there, outputs[0].tensor))

    def _has_other_kernels(self, first: ComputedTensor, outcome: Outcome) -> bool:
        """Whether the first tensor that differs is that of the other kernels."""
        difference = outcome.difference
        if self.other_kernels is None or outcome.there is None or difference is None:
            return False
        if difference.form is not Form.VALUES:
            return False
        cut = self.sides.cut(self.artifact, first.name)
        return is_same(self.sides.run_on(self.other_kernels.side, cut), outcome.there)

    def _beyond(self, found: Diagnosis) -> Diagnosis:
        """What differs from this host's other kernels, too."""
        assert self.other_kernels is not None
        beyond = replace(self, sides=self.sides.seen_from(self.other_kernels.side), other_kernels=None, is_exact=True)
        again = beyond.diagnose()
        tried = found.tensors_tried + again.tensors_tried
        if again.verdict in {Verdict.FAULT, Verdict.UNEXPLAINED}:
            return replace(again, tensors_tried=tried)
        told = self._with_versions(self.other_kernels.told)
        cause = told if again.verdict is Verdict.SAME else f"{told}; beyond that {again.cause}"
        return replace(found, verdict=Verdict.ROUNDING, cause=cause, fix=_ALL_SAME, tensors_tried=tried)

    def _operator(self, found: Diagnosis, first: ComputedTensor, outcome: Outcome) -> Diagnosis:
        """An operator does something else there."""
        difference = outcome.difference
        assert difference is not None
        cause = operator_cause(first.operator, difference, outcome.here, outcome.there)
        if cause.blame is Blame.ROUNDING:
            return _judged(found, replace(cause, name=self._with_versions(cause.name)))
        if difference.form is Form.VALUES and not self.is_exact:
            cause_here = f"{cause.name}, or this host's INT8 kernels, which saturate on x86 without VNNI"
            return replace(found, cause=cause_here, fix="compare on a CPU with VNNI")
        return _judged(found, cause)

    def _with_versions(self, cause: str) -> str:
        """Put other versions of the runtime in front."""
        if not self.versions or not self.versions_there or self.versions == self.versions_there:
            return cause
        apart = f"{_listed(self.versions_there)} there, {_listed(self.versions)} here"
        return f"another version of the runtime ({apart}): {cause}"


def _conspicuous(whole: Outcome) -> Form | None:
    """What to look for where no numbers come out at all: it may begin far behind the first other number."""
    difference = whole.difference
    is_lost = difference is not None and difference.form in {Form.FAILED, Form.EMPTY, Form.SHAPE, Form.NAN}
    return difference.form if difference is not None and is_lost else None


def _figures(ours: Embeddings, theirs: Embeddings | str) -> Diagnosis:
    """How far the embeddings are apart, the cause not known yet."""
    found = Diagnosis(Verdict.UNEXPLAINED, "no cause that is known explains it", _ASK, len(ours), 0, None, None)
    if isinstance(theirs, str) or theirs.shape != ours.shape:
        return found
    equal = sum(a.tobytes() == b.tobytes() for a, b in zip(ours, theirs, strict=True))
    if not (np.isfinite(theirs).all() and np.linalg.norm(theirs, axis=1).all()):
        return replace(found, equal_faces=equal)
    alike = cosines(ours, theirs)
    return replace(found, equal_faces=equal, cosine_mean=float(alike.mean()), cosine_min=float(alike.min()))


def _behind_the_network(found: Diagnosis, ours: Embeddings, theirs: Embeddings | str) -> Diagnosis:
    """The network gives the same there, and the embeddings do not."""
    if isinstance(theirs, str):
        return _judged(found, Cause(f"the embedding cannot be used, behind the network: {theirs}", _ASK))
    difference = compare(ours, theirs)
    if difference is None:
        return _judged(found, Cause("float sums in another order", _ALL_SAME, Blame.ROUNDING))
    found = replace(found, difference=str(difference))
    if difference.form is not Form.VALUES:
        return _judged(found, Cause(f"the embedding {difference.form}, behind the network", _ASK))
    best = best_explanation(ours, theirs, arrangement_hypotheses(ours, theirs))
    if best is None:
        return found
    return replace(_judged(found, best.hypothesis.cause), explained=best.explained)


def _listed(versions: Mapping[str, str]) -> str:
    return " and ".join(f"{package} {version}" for package, version in versions.items())


def _judged(found: Diagnosis, cause: Cause) -> Diagnosis:
    verdict = Verdict.FAULT if cause.blame is Blame.FAULT else Verdict.ROUNDING
    if verdict is Verdict.ROUNDING and (found.cosine_mean is None or found.cosine_mean < LEAST_COSINE):
        return replace(found, cause=f"{cause.name}, which alone does not explain a cosine of {found.cosine_mean:.4f}")
    return replace(found, verdict=verdict, cause=cause.name, fix=cause.fix)
