import re

import pytest

from ghostface_edge.pipeline.tools.sources import KNOWN, find
from ghostface_edge.reports.errors import InputError

OWNERS = (
    "https://github.com/HamadYA/GhostFaceNets/",
    "https://github.com/leondgarse/",
    "https://ndownloader.figshare.com/",
    "https://media.githubusercontent.com/media/opencv/opencv_zoo/",
)


def test_names_are_unique_and_a_typo_gets_a_suggestion() -> None:
    assert len({source.file for source in KNOWN.values()}) == len(KNOWN)
    with pytest.raises(InputError) as caught:
        find("v1-0.5-3")
    assert caught.value.fix == "did you mean 'v1-0.5-2'?"


def test_addresses_are_their_owners_and_digests_are_whole() -> None:
    for name, source in KNOWN.items():
        assert source.address is None or source.address.startswith(OWNERS), name
        assert source.sha256 is None or re.fullmatch("[0-9a-f]{64}", source.sha256), name
        assert source.address is not None or source.sha256 is None, name


def test_the_official_checkpoints_that_were_at_hand_have_digest_and_size() -> None:
    assert (find("v1-0.5-2").size_bytes, find("v1-1.3-1").size_bytes) == (3_833_672, 17_271_840)
    assert all(find(name).sha256 for name in ("v1-0.5-2", "v1-1.3-1"))
