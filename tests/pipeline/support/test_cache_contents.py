import os

from ghostface_edge.pipeline.support.cache_contents import look, remove_beside
from ghostface_edge.pipeline.support.store import KEY, Store


def filled(root):
    """A cache with two artifacts of one stage and one of another, downloads, and a folder of the user's own."""
    store = Store(root)

    def build(folder):
        (folder / "out").write_bytes(bytes(100_000))

    moments = {("embed", 1): 1000, ("embed", 2): 3000, ("device-embed", 1): 2000}
    for (stage, number), moment in moments.items():
        folder = store.make(stage, {"number": number}, build).folder
        os.utime(folder, (moment, moment))
    for name in ("downloads", "photos"):
        (root / name).mkdir()
        (root / name / "file").write_bytes(bytes(50_000))
    return store


def test_artifacts_are_told_by_stage(tmp_path):
    filled(tmp_path)
    found = look(tmp_path)
    device, embed = found.stages
    assert (device.stage, device.artifacts, device.last_used) == ("device-embed", 1, 2000)
    assert (embed.stage, embed.artifacts, embed.last_used) == ("embed", 2, 3000)
    assert 200_000 <= embed.size_bytes < 250_000
    assert found.artifacts == 3
    assert found.size_bytes == device.size_bytes + embed.size_bytes
    assert found.stage_rows()[1][3] == "1970-01-01T00:50:00+00:00"


def test_what_lies_beside_them_is_named_and_strangers_are_told_apart(tmp_path):
    filled(tmp_path)
    found = {each.name: each for each in look(tmp_path).beside}
    assert found.keys() == {KEY, "downloads", "photos"}
    assert found["downloads"].size_bytes >= 50_000
    assert found["photos"].what is None
    assert ("photos", "not of this tool, which leaves it alone") in {
        (row[0], row[2]) for row in look(tmp_path).beside_rows()
    }


def test_what_another_process_builds_is_no_stage_of_its_own_name(tmp_path):
    store = filled(tmp_path)
    with store.scratch():
        (unfinished,) = (each for each in look(tmp_path).stages if each.stage.startswith("("))
        assert unfinished.artifacts == 1


def test_looking_makes_nothing(tmp_path):
    found = look(tmp_path / "new/cache")
    assert (found.artifacts, found.total_bytes, found.beside) == (0, 0, ())
    assert found.free_bytes > 0
    assert not (tmp_path / "new").exists()


def test_a_link_in_place_of_the_artifacts_is_not_followed(tmp_path):
    filled(tmp_path / "mine")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/artifacts").symlink_to(tmp_path / "mine/artifacts")
    assert look(tmp_path / "cache").artifacts == 0


def test_only_what_is_this_tools_is_removed_beside_the_artifacts(tmp_path):
    filled(tmp_path)
    remove_beside(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"artifacts", "photos"}
    assert (tmp_path / "photos/file").stat().st_size == 50_000
