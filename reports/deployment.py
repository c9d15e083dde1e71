"""What a report says of accelerators and microcontrollers, as rows and sentences alike in every rendering.

Estimates are a compiler's, for accelerators that were not there: they stand apart from what was measured.
"""

from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Variant

ESTIMATE_COLUMNS = (
    "Variant",
    "Accelerator",
    "Estimated ms",
    "SRAM KiB",
    "Flash KiB",
    "MACs/cycle",
    "NPU operators",
    "CPU operators",
    "Compiled model",
)


def estimates_title(report: Report) -> str:
    """Name who estimated, and that it is no measurement."""
    tools = dict.fromkeys(estimate.tool for variant in report.variants for estimate in variant.estimates)
    return f"Ethos-U, estimated by {' and '.join(tools)}, not measured"


def estimate_rows(report: Report) -> list[tuple[str, ...]]:
    """Write every estimate, in the order of ESTIMATE_COLUMNS."""
    return [
        (
            variant.id,
            estimate.accelerator,
            f"{estimate.inference_ms:.2f}",
            f"{estimate.sram_kib:,.0f}",
            f"{estimate.flash_kib:,.0f}",
            f"{estimate.macs_per_cycle:.1f}",
            f"{estimate.npu_operators}",
            f"{estimate.cpu_operators}",
            estimate.path,
        )
        for variant in report.variants
        for estimate in variant.estimates
    ]


def estimate_warnings(report: Report) -> list[str]:
    """Say what a user of the compiled models has to know, a line per variant and matter."""
    lines = []
    for variant in report.variants:
        shared = [estimate.accelerator for estimate in variant.estimates if estimate.output_in_input]
        if shared:
            lines.append(
                f"{variant.id} on {_list(shared)}: the compiler put the output inside the input's memory, so that "
                "every inference overwrites its input. Read the output first, then fill the input anew before every "
                "inference; or use the model that leaves its input alone, listed as “input kept” where there is one."
            )
        lines += [
            f"{variant.id} on {estimate.accelerator}: {count(estimate.cpu_operators, 'operator')} left on the CPU."
            for estimate in variant.estimates
            if estimate.cpu_operators
        ]
    return lines


def firmware(variant: Variant) -> str | None:
    """Say what TensorFlow Lite Micro needs for a variant."""
    needs = variant.firmware
    if needs is None:
        return None
    return (
        f"tensor arena {needs.arena_bytes / 1024:,.0f} KiB, measured; "
        f"{count(len(needs.operators), 'operator')} to register: {', '.join(needs.operators)}"
        + (f"; {', '.join(needs.files)}" if needs.files else "")
    )


def count(number: int, noun: str) -> str:
    """Write a number with its noun in the right form."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _list(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
