import re

import pytest

from ghostface_edge.reports.report import Report
from ghostface_edge.reports.sections.profile import role_plot
from ghostface_edge.reports.time_shares import time_shares


def test_stacked_bars_fill_the_whole(deployed: Report) -> None:
    plot = role_plot(time_shares(deployed))
    widths = [float(width) for width in re.findall(r'<rect class="fill [a-z]+"[^>]* width="([\d.]+)"', plot)]
    assert len(widths) == 1 + 4 + 1
    # three bars, each as long as the axis
    assert sum(widths) == pytest.approx(3 * widths[0], abs=0.5)
    assert 'class="fill quantize"' in plot
