import os
import stat

import pytest

from ghostface_edge.pipeline.support.seal import Seal, user_seal
from ghostface_edge.reports.errors import InputError


def test_a_signature_holds_for_its_texts_and_key_only():
    seal = Seal(b"k" * 32)
    signature = seal.sign("embed-1", "entries")
    assert seal.holds(signature, "embed-1", "entries")
    for texts in (("embed-2", "entries"), ("embed-1", "entriez"), ("embed-1entries",), ("entries", "embed-1")):
        assert not seal.holds(signature, *texts)
    assert not Seal(b"l" * 32).holds(signature, "embed-1", "entries")
    assert not seal.holds("\u00e9\udc80", "embed-1", "entries")


def test_the_key_is_made_once_and_is_the_user_s_alone(tmp_path):
    signature = user_seal(tmp_path / "key").sign("text")
    status = (tmp_path / "key").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_size) == (0o600, 32)
    assert user_seal(tmp_path / "key").holds(signature, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize(
    "harm",
    ["group", "world", "world, to run", "short", "long", "empty", "link", "hard link", "pipe", "foreign", "partial"],
)
def test_a_key_that_cannot_be_trusted_is_replaced(tmp_path, harm):
    key = tmp_path / "key"
    signature = user_seal(key).sign("text")
    content = key.read_bytes()
    if harm in ("group", "world", "world, to run"):
        key.chmod({"group": 0o640, "world": 0o604, "world, to run": 0o601}[harm])
    elif harm in ("short", "long", "empty"):
        key.write_bytes({"short": content[:-1], "long": content + b"x", "empty": b""}[harm])
    elif harm == "link":
        key.rename(tmp_path / "elsewhere")
        key.symlink_to("elsewhere")
    elif harm == "hard link":
        (tmp_path / "elsewhere").hardlink_to(key)
    elif harm == "foreign":
        try:
            os.chown(key, os.geteuid() + 1, -1)
        except OSError:
            pytest.skip("only root can give a file away")
    else:
        key.unlink()
        if harm == "pipe":
            os.mkfifo(key)
        else:
            key.with_name("key.partial").write_bytes(content)
    renewed = user_seal(key)
    assert not renewed.holds(signature, "text")
    assert user_seal(key).holds(renewed.sign("text"), "text")
    assert not key.with_name("key.partial").exists()
    if (tmp_path / "elsewhere").exists():
        assert (tmp_path / "elsewhere").read_bytes() == content


def test_a_folder_that_keeps_no_permissions_keeps_no_key(tmp_path, monkeypatch):
    """As a memory card does, on which all files are everybody's; no test can mount one."""

    def everybodys(path, flags, mode=0o777):
        descriptor = opened(path, flags, mode)
        os.fchmod(descriptor, 0o666)
        return descriptor

    opened = os.open
    monkeypatch.setattr(os, "open", everybodys)
    with pytest.raises(InputError, match="is open to others as soon as it is written") as refused:
        user_seal(tmp_path / "key")
    assert "GHOSTFACE_EDGE_CACHE" in refused.value.fix
