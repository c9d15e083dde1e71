"""The far side's own guards, without a process."""

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.places.board import Board


@pytest.fixture
def board(tmp_path):
    return Board("onnxruntime", folder=str(tmp_path / "there"))


@pytest.mark.parametrize("name", ["../x.onnx", "/etc/passwd", "x.onnx", f".{'0' * 32}.onnx.partial", "0" * 32, ""])
def test_names_that_no_model_has(board, name, tmp_path):
    with pytest.raises(InputError, match="is no file's name"):
        board.receive(name, np.zeros(3, np.uint8), 0, "", True)
    with pytest.raises(InputError, match="is no file's name"):
        board.load_received(name, 1, 1)
    assert not (tmp_path / "there").exists()


def test_nothing_can_be_asked_of_no_model(board):
    with pytest.raises(RuntimeError, match="no artifact is loaded"):
        board.time(np.zeros((1, 28, 28, 3), np.uint8), 1)


def test_a_folder_that_nobody_made_is_clean(board):
    assert board.clean() == 0
