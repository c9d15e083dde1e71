from ghostface_edge.reports.plots import bars, legend, look, shortened
from ghostface_edge.reports.report import Report


def test_bars_take_colours_and_keep_the_end_of_long_names() -> None:
    plot = bars("Profile", "ms", [("a" * 40 + "end", 1.0), ("short", 0.5)], ["float", None])
    assert plot.count('class="fill float"') == 1
    assert plot.count('class="fill c0"') == 1
    assert shortened("a" * 40 + "end").endswith("end")
    assert len(shortened("a" * 40)) == 34


def test_a_legend_shows_the_looks_of_the_lines(deployed: Report) -> None:
    key = legend(deployed, deployed.variants)
    assert [name for _, name in key] == [variant.id for variant in deployed.variants]
    for (sample, _), variant in zip(key, deployed.variants, strict=True):
        assert f'class="line {look(variant, deployed)}"' in sample
    assert look(deployed.variants[2], deployed) == "c0 other"
    assert look(deployed.variants[3], deployed) == "c1 int8"
