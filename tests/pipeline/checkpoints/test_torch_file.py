"""What is refused of a `.pt` before PyTorch opens it; the files are PyTorch's own, or its own changed."""

import contextlib
import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from ghostface_edge.pipeline.checkpoints.torch_file import check
from ghostface_edge.reports.errors import InputError


def saved(tmp_path: Path, content: object, **options: object) -> Path:
    torch.save(content, tmp_path / "net.pt", **options)
    return tmp_path / "net.pt"


def rewritten(path: Path, *, compression: int = zipfile.ZIP_STORED, **members: bytes | None) -> Path:
    """The same file with members replaced, named with an underscore for the dot; None leaves one out."""
    with zipfile.ZipFile(path) as archive:
        content = {record.filename: archive.read(record) for record in archive.infolist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            changed = members.get(name.partition("/")[2].replace(".", "_").replace("/", "_"), data)
            if changed is not None:
                archive.writestr(name, changed)
    return path


def pickled(content: object) -> bytes:
    """Protocol 2, as torch.save writes it."""
    buffer = io.BytesIO()
    pickle.Pickler(buffer, 2).dump(content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        torch.nn.Linear(3, 2).state_dict(),
        {"state_dict": torch.nn.BatchNorm2d(4).state_dict(), "epoch": 3, "note": "good", "rates": [0.1], "none": None},
        {"weight": torch.zeros(3, 2).half(), "other": torch.zeros(2, 2).T, "shape": torch.Size([2])},
        {"kind": torch.float16, "device": torch.device("cpu"), "weight": torch.zeros(2, 2)[1:]},
        {"parameter": torch.nn.Parameter(torch.zeros(2))},
    ],
)  # fmt: skip
def test_dense_tensors_text_and_numbers_pass(tmp_path: Path, content: object) -> None:
    check(saved(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: torch.eye(3).to_sparse(), "sparse"),
        (lambda: torch.eye(3).to_sparse_csr(), "sparse"),
        (lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8), "quantized"),
        (lambda: torch.zeros(3, device="meta"), "meta"),
        (lambda: torch.zeros(3, dtype=torch.complex64), "complex"),
        (lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]), "nested"),
        (lambda: torch.zeros(3, dtype=torch.uint16), "uncommon"),
        (lambda: torch.zeros(1, dtype=torch.float16).expand(1 << 32), "expanded"),
        (lambda: torch.zeros(2).expand(3, 2), "expanded"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_other_tensors_are_refused_by_kind(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(saved(tmp_path, {"weight": content()}))


def test_a_shared_storage_that_grows_when_it_is_read_is_refused(tmp_path: Path) -> None:
    shared = torch.zeros(1000, dtype=torch.float16)
    check(saved(tmp_path, {"a": shared, "b": shared}))
    with pytest.raises(InputError, match="more elements together than the file has bytes"):
        check(saved(tmp_path, {f"{index}": shared.view(-1) for index in range(500)}))


def held_by_itself() -> object:
    content: dict[str, object] = {}
    content["weights"] = content
    return content


def deep() -> object:
    content: object = 1
    for _ in range(100):
        content = {"state_dict": content}
    return content


def many() -> object:
    """Few objects that a reader meets 10^12 times."""
    content: list[object] = [1]
    for _ in range(12):
        content = [content] * 10
    return {"model": content}


@pytest.mark.parametrize(
    ("content", "message"),
    [(held_by_itself, "hold themselves"), (deep, "nested more than 32 deep"), (many, "more than 200,000 values")],
)
def test_containers_without_an_end_are_refused(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(saved(tmp_path, content()))


class RunsCode:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (pickled(RunsCode()), "would run code"),
        (b"cos\nsystem\n(S'touch ran'\ntR.", "would run code"),
        (b"\x80\x02c_codecs\nencode\n.", "would run code"),
        (b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "would run code"),
        (b"\x80\x02}r\xff\xff\xff\xff.", None),
        (b"\x80\x02X\xff\xff\xff\x7fabc", "damaged"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f1.", "would run code|damaged"),
        (b"\x80\x02h\x05.", "damaged"),
        (b"\x80\x02t.", "damaged"),
        (b"\x80\x02.", "damaged"),
        (b"", "damaged"),
        (b"\x80\x02}}Ns.", "neither text nor numbers|damaged"),
        (b"\x80\x02" + b"(" * 100_000 + b".", "damaged"),
    ],
)
def test_pickles_of_any_other_kind_are_refused(tmp_path: Path, program: bytes, message: str | None) -> None:
    path = rewritten(saved(tmp_path, {"a": torch.zeros(2)}), data_pkl=program)
    if message is None:  # a memo of 2^32 places, of which one is used
        check(path)
        return
    with pytest.raises(InputError, match=message):
        check(path)
    assert not Path("ran").exists()


def test_storages_have_the_size_that_is_said(tmp_path: Path) -> None:
    path = saved(tmp_path, {"a": torch.zeros(200)})
    with pytest.raises(InputError, match="said to have 800 bytes and has 16"):
        check(rewritten(path, data_0=bytes(16)))
    with pytest.raises(InputError, match="has none"):
        check(rewritten(saved(tmp_path, {"a": torch.zeros(200)}), data_0=None))


def test_packed_members_are_refused(tmp_path: Path) -> None:
    path = rewritten(saved(tmp_path, {"a": torch.zeros(1 << 20)}), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10_000
    with pytest.raises(InputError, match="is packed"):
        check(path)


@pytest.mark.filterwarnings("ignore:Duplicate")
def test_a_member_stands_once(tmp_path: Path) -> None:
    path = saved(tmp_path, {"a": torch.zeros(2)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("net/data.pkl", pickled(RunsCode()))
    with pytest.raises(InputError, match="twice"):
        check(path)


def test_other_zip_files_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr("net/readme", "hello")
    with pytest.raises(InputError, match=r"not one of torch\.save"):
        check(tmp_path / "net.pt")
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "script.pt")
    with pytest.raises(InputError, match=r"TorchScript|packed"):
        check(tmp_path / "script.pt")


def test_the_old_format_is_refused_with_a_mend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"before 1\.6") as refused:
        check(saved(tmp_path, {"a": torch.zeros(2)}, _use_new_zipfile_serialization=False))
    assert "torch.save" in refused.value.fix


def test_cut_and_changed_files_are_refused_or_read(tmp_path: Path) -> None:
    whole = saved(tmp_path, torch.nn.Linear(3, 2).state_dict()).read_bytes()
    path = tmp_path / "cut.pt"
    for place in range(0, len(whole), 61):
        path.write_bytes(whole[:place])
        with pytest.raises(InputError):
            check(path)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(InputError):
            check(path)
