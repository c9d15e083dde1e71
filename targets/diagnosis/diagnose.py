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

from ghostface_edge.reports.errors import GhostfaceEdgeError
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


@dataclass(frozen=True)
class Examination:
    """One artifact on a device.

    Args:
        artifact: as this host has it.
        sides: this host and the device.
        versions: of the runtime's packages, here.
        versions_there: on the device.
        reference_kernels: the interpreter's reference kernels on this host, where it has such.
    """

    artifact: Path
    sides: Sides
    versions: Mapping[str, str] = field(default_factory=dict)
    versions_there: Mapping[str, str] = field(default_factory=dict)
    reference_kernels: Side | None = None

    def diagnose(self) -> Diagnosis:
        """Find the first tensor that differs, and why.

        Raises:
            ToolError: the artifact does not run here, or the device is gone.
        """
        whole = self.sides.run(self.artifact)
        ours, theirs = self.sides.worker.embed(self.sides.faces), self._embedded_there(whole)
        found = _figures(ours, theirs)
        if found.equal_faces == found.faces:
            return replace(found, verdict=Verdict.SAME, cause="the same bytes", fix=_ALL_SAME)
        if whole.there is not None and self.sides.device.sha256() != self.sides.worker.sha256():
            return _judged(found, Cause("the model there has other bytes: damaged or stale", _SEND_AGAIN))
        if whole.difference is None:
            return _behind_the_network(found, ours, theirs)
        return self._inside(found, whole)

    def _inside(self, found: Diagnosis, whole: Outcome) -> Diagnosis:
        """The input or an operator is the matter."""
        tensors = self.sides.worker.tensors(self.artifact)
        tried: dict[str, Outcome] = {}

        def differs(tensor: ComputedTensor) -> bool:
            outcome = tried[tensor.name] = self.sides.run(self.sides.cut(self.artifact, tensor.name))
            is_unfit = outcome.there is None and whole.there is not None  # for that runtime, which says nothing
            return outcome.difference is not None and not is_unfit

        if not differs(tensors[-1]):
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
        entry = tried.get(tensors[0].name)
        entry = tried[tensors[0].name]
        if first.operator == INPUT or (entry.there is None and whole.there is not None):
            mistake = self._input_mistake(entry, whole)
            if mistake is not None:
                return replace(_judged(found, mistake.hypothesis.cause), explained=mistake.explained)
        return _judged(found, self._operator_cause(first, outcome))

    def _embedded_there(self, whole: Outcome) -> Embeddings | str:
        """Or why there are none."""
        if whole.there is None:
            return whole.failure
        try:
            return self.sides.device.embed(self.sides.faces)
        except ChildDeath:
            raise
        except GhostfaceEdgeError as error:
            return error.message

    def _input_mistake(self, entry: Outcome, whole: Outcome) -> Explanation | None:
        """Told by the input itself where the device shows it, else by the output, which it explains so well."""
        worker = self.sides.worker
        mistakes = list(input_hypotheses(self.sides.faces, worker.inspect(self.artifact)))
        if entry.there is not None:
            mistakes += arrangement_hypotheses(entry.here, entry.there)
            best = best_explanation(entry.here, entry.there, mistakes)
            mistakes = [] if best is None else [best.hypothesis]
        self.sides.run_here(self.artifact)
        outputs = [Hypothesis(each.cause, worker.infer(each.tensor.astype(entry.here.dtype))) for each in mistakes]
        if entry.there is None:
            assert whole.there is not None
            return best_explanation(whole.here, whole.there, outputs)
        if not outputs or whole.there is None:
            return None
        return Explanation(outputs[0], explained(whole.here, whole.there, outputs[0].tensor))

    def _operator_cause(self, first: ComputedTensor, outcome: Outcome) -> Cause:
        difference = outcome.difference
        assert difference is not None
        cause = operator_cause(first.operator, difference, outcome.here, outcome.there)
        if cause.blame is not Blame.ROUNDING or outcome.there is None:
            return cause
        if self.versions and self.versions_there and self.versions != self.versions_there:
            apart = f"{_listed(self.versions_there)} there, {_listed(self.versions)} here"
            return replace(cause, name=f"another version of the runtime ({apart}): {cause.name}")
        if self.reference_kernels is not None:
            cut = self.sides.cut(self.artifact, first.name)
            if is_same(self.sides.run_on(self.reference_kernels, cut), outcome.there):
                return replace(cause, name=f"{cause.name}: the interpreter's reference kernels run there")
        return cause


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
