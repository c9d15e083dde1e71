"""How the numbers were made: the method behind every column."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Definitions
from ghostface_edge.reports.section import Findings, Section

_DROP = (
    "Reference minus variant on the same pairs. The interval is a percentile bootstrap, 10,000 resamples of whole "
    "people, with one imagined pair lost and one gained, so that few pairs without a change are not taken for "
    "certainty (Bonett and Price 2012)."
)
_TAR = (
    "The lowest threshold that accepts at most that share of impostor pairs, no interpolation. A dash: fewer impostor "
    "pairs than one accepted pair needs."
)
_COSINE = "Between the variant's and the reference's embedding of an image, mean over all distinct images."
_LATENCY = (
    "One face at a time, warmed up, in turns with the FP32 of the same runtime (for C, TFLite's) so that drift of the "
    "machine hits both. "
    "× FP32 is the ratio of medians, its interval a bootstrap over rounds."
)
_MICRO = (
    " TensorFlow Lite Micro ran on this host with its reference kernels: its times say nothing of a microcontroller's."
)
_VERDICT = (
    "A figure with an interval passes if the whole interval keeps the limit, fails if none of it does, and is "
    "inconclusive otherwise. What was not measured never passes."
)


def numbers(findings: Findings) -> Section:
    """The protocol, and what these pairs can show at all."""
    protocol, measured = findings.report.data.pairs.protocol, findings.measured
    micro = _MICRO if any(variant.runtime == "tflite-micro" for variant in measured) else ""
    smallest = f" The smallest drop that these pairs would show: {_detectable(findings)}." if measured else ""
    accuracy = (
        f"{protocol}. After ± the standard error over the folds. Thresholds lie midway between scores that occur, ties "
        "are never split."
    )
    made = (
        ("Accuracy", accuracy),
        ("Drop and its interval", _DROP),
        ("p", "Exact two-sided McNemar test on the changed decisions."),
        ("TAR@FAR", _TAR),
        ("Cosine", _COSINE),
        ("Latency", _LATENCY + micro),
        ("Verdict", _VERDICT + smallest),
    )
    return Section("numbers", "How the numbers were made", (Definitions(made),))


def _detectable(findings: Findings) -> str:
    """Write the smallest drop each measured variant's comparison would show."""
    smallest = [
        f"{variant.versus_reference.detectable_drop_pp:.2f} pp for {variant.id}"
        for variant in findings.measured
        if variant.versus_reference is not None and variant.versus_reference.detectable_drop_pp is not None
    ]
    return ", ".join(smallest) or wording.MISSING
