import pytest

from ghostface_edge.calibration.preprocessing import require_shape
from ghostface_edge.reports.errors import InputError


@pytest.mark.parametrize("taken", [(1, 3, 112, 112), ("batch", 3, 112, 112), (-1, 3, -1, -1), (None, 3, "S", "S")])
def test_open_axes_take_any_size(taken):
    require_shape((1, 3, 112, 112), taken)


@pytest.mark.parametrize(
    ("taken", "shown"),
    [((8, 3, 112, 112), "8, 3, 112, 112"), (("batch", 112, 112, 3), "any, 112, 112, 3"), ((-1, 512), "any, 512")],
)
def test_faces_that_a_model_was_not_made_for_are_refused(taken, shown):
    with pytest.raises(InputError, match=rf"takes \({shown}\), the faces come as \(1, 3, 112, 112\)"):
        require_shape((1, 3, 112, 112), taken)
