"""Views of faces, which distillation meets in turn."""

import itertools

import numpy as np
import torch

from ghostface_edge.pipeline.quantize.distill import _VIEWS, _Views
from ghostface_edge.pipeline.simulation.program import Program

CPU = torch.device("cpu")


class Counted:
    """A teacher that counts whom it was shown."""

    def __init__(self, program: Program) -> None:
        self.program, self.seen = program, 0

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        self.seen += len(inputs)
        return self.program(inputs)


def test_every_face_is_met_once_a_round_and_every_view_taught_once(program, faces):
    teacher = Counted(program)
    views = _Views(teacher, faces[:8], 0, CPU)
    rounds = [list(itertools.islice(views.batches(4), 2 * index, 2 * index + 2)) for index in range(2 * _VIEWS)]
    for names in itertools.chain.from_iterable(rounds):
        inputs, target = views(names)
        torch.testing.assert_close(target, program(inputs))
    for index, batches in enumerate(rounds):
        names = np.concatenate(batches)
        assert sorted(names[:, 1]) == list(range(8))
        assert set(names[:, 0]) == {index % _VIEWS}
    assert not np.array_equal(np.concatenate(rounds[0]), np.concatenate(rounds[_VIEWS]))
    assert teacher.seen == 8 * _VIEWS


def test_a_view_depends_on_its_name_and_the_seed_alone(program, faces):
    name = np.array([[1, 3]])
    alone, _ = _Views(program, faces, 0, CPU)(name)
    among, _ = _Views(program, faces, 0, CPU)(np.array([[0, 3], [1, 3], [1, 4]]))
    torch.testing.assert_close(alone[0], among[1], rtol=0, atol=0)
    assert not torch.equal(among[0], among[1])
    assert not torch.equal(alone, _Views(program, faces, 1, CPU)(name)[0])
