"""What is said of packages that are missing."""

import importlib

import pytest

from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.requirements import require_modules

_METADATA = """Metadata-Version: 2.4
Name: ghostface-edge
Version: 9.9
Requires-Dist: numpy
Requires-Dist: absent-here; extra == "some"
Requires-Dist: absent-here; python_version < "3.2" and extra == "older"
Requires-Dist: ethos-u-vela>=5.2; python_version < "3.2" and extra == "some"
Provides-Extra: some
Provides-Extra: older
"""


@pytest.fixture(autouse=True)
def _metadata(tmp_path, monkeypatch):
    """Requirements of another release, which no Python of today meets in part; and no package is there."""
    folder = tmp_path / "ghostface_edge-9.9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(_METADATA)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    monkeypatch.setattr("ghostface_edge.targets.requirements.find_spec", lambda _: None)


@pytest.mark.parametrize(
    ("extra", "module", "fix"),
    [
        ("some", "absent_here", "pip install 'ghostface-edge[some]'"),
        ("some", "numpy", "pip install 'ghostface-edge[some]'"),
        ("older", "absent_here", 'use a Python that absent-here has packages for: python_version < "3.2"'),
        ("some", "ethosu", 'use a Python that ethos-u-vela has packages for: python_version < "3.2"'),
    ],
)
def test_the_fix_is_a_line_that_works_in_this_python(extra, module, fix):
    with pytest.raises(RuntimeMissingError, match=f"{module} is not installed") as caught:
        require_modules(extra, module)
    assert caught.value.fix == fix
