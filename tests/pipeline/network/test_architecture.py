import pytest

from ghostface_edge.pipeline.network.architecture import Activation, Architecture, divisible_by_4


@pytest.mark.parametrize(
    ("value", "channels"),
    [(8, 8), (10, 12), (9.8, 12), (8.8, 8), (20.8, 20), (2, 4), (0.1, 4), (5.9, 8)],
)
def test_channels_are_rounded_to_a_multiple_of_4_never_below_90_percent(value: float, channels: int) -> None:
    assert divisible_by_4(value) == channels
    assert channels >= 0.9 * value


def test_plan_of_the_official_half_width_net() -> None:
    plan = Architecture(width=0.5)
    assert plan.name == "GhostFaceNetV1-0.5-2"
    assert plan.stem_channels == 8
    assert plan.tail_channels == 256
    assert plan.head_kernel == 4
    blocks = plan.blocks
    assert [index for index, block in enumerate(blocks, 1) if block.stride == 2] == [2, 4, 6, 12]
    assert [index for index, block in enumerate(blocks, 1) if block.se_channels] == [4, 5, 10, 11, 12, 14, 16]
    assert [block.out_channels for block in blocks[:6]] == [8, 12, 12, 20, 20, 40]
    assert not any(block.has_dfc for block in blocks)
    assert not blocks[0].has_projection
    assert blocks[1].has_projection


def test_version_2_attends_from_block_3_and_keeps_its_last_expansion() -> None:
    plan = Architecture(width=1.3, stride=1, version=2)
    assert [index for index, block in enumerate(plan.blocks, 1) if block.has_dfc] == list(range(3, 17))
    assert plan.blocks[-1].expansion == plan.tail_channels == 1248
    assert plan.head_kernel == 7


@pytest.mark.parametrize(("size", "stride", "side"), [(112, 1, 7), (112, 2, 4), (96, 1, 6), (100, 2, 4)])
def test_the_head_covers_the_whole_last_map(size: int, stride: int, side: int) -> None:
    assert Architecture(width=1, stride=stride, image_size=size).head_kernel == side


def test_activation_is_spelled_as_in_reports() -> None:
    assert str(Architecture(width=1).activation) == "prelu"
    assert Activation("relu") is Activation.RELU
