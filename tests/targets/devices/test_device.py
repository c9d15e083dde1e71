"""What a device answers is believed within bounds only; models travel once, whole, and from where they got to."""

import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError, RuntimeMissingError, ToolError
from ghostface_edge.targets.devices.refusals import LineBroken
from ghostface_edge.targets.onnxruntime.embedder import OnnxruntimeEmbedder
from ghostface_edge.targets.places.connection import ChildDeath


@pytest.fixture
def there(tmp_path) -> Path:
    """The folder of models on the device."""
    return tmp_path / "there"


def opened(device, tmp_path, runtime="onnxruntime"):
    return device.open(runtime, log=tmp_path / "log", timeout_s=60)


def model_name(model):
    return file_sha256(model)[:32] + model.suffix


TELLING_WHERE = """
def receive(self, name, part, at, sha256, is_last):
    print("at", at)
    super().receive(name, part, at, sha256, is_last)
"""


def test_a_file_gives_the_same_bytes_there(make_device, ghost_qdq, few_faces, tmp_path):
    embedder = OnnxruntimeEmbedder(ghost_qdq, 1, 1)
    here = np.concatenate([embedder.run(embedder.prepare(face[None])) for face in few_faces])
    with opened(make_device(), tmp_path) as there:
        assert there.load((ghost_qdq,), 1, 1) > 0
        assert there.embed(few_faces).tobytes() == here.tobytes()
        assert len(there.time(few_faces[:1], 3)) == 3
        assert there.peak_rss_mb() > 10


def test_it_says_what_it_is(make_device, tmp_path):
    with opened(make_device(), tmp_path) as there:
        facts = there.facts()
        assert facts.machine == os.uname().machine
        assert facts.versions["numpy"] == np.__version__
        assert facts.cores == len(os.sched_getaffinity(0))
        assert there.conditions().load >= 0


def test_cores_are_pinned(make_device, tmp_path):
    core = min(os.sched_getaffinity(0))
    with opened(make_device(cores=(core,)), tmp_path) as there:
        assert there.facts().cores == 1
    with (
        opened(make_device(cores=(core, 4097)), tmp_path) as there,
        pytest.raises(InputError, match=r"cores \[\d+, 4097\] were asked for"),
    ):
        there.facts()


def test_a_model_is_sent_once(make_device, ghost_qdq, tmp_path, there):
    device = make_device(TELLING_WHERE)
    for _ in range(2):
        with opened(device, tmp_path) as board:
            board.load((ghost_qdq,), 1, 1)
    assert (tmp_path / "log").read_text().splitlines() == ["at 0"]
    assert [path.name for path in there.iterdir()] == [model_name(ghost_qdq)]


def test_a_model_that_rotted_there_is_sent_again(make_device, ghost_qdq, tmp_path, there):
    there.mkdir()
    (there / model_name(ghost_qdq)).write_bytes(
        bytes(byte ^ (at == 99) for at, byte in enumerate(ghost_qdq.read_bytes()))
    )
    with opened(make_device(), tmp_path) as board:
        board.load((ghost_qdq,), 1, 1)
    assert (there / model_name(ghost_qdq)).read_bytes() == ghost_qdq.read_bytes()


def test_sending_goes_on_where_it_ended(make_device, ghost_qdq, tmp_path, there):
    there.mkdir()
    content = ghost_qdq.read_bytes()
    partial = there / f".{model_name(ghost_qdq)}.partial"
    partial.write_bytes(content[:1000])
    with opened(make_device(TELLING_WHERE), tmp_path) as board:
        board.load((ghost_qdq,), 1, 1)
    assert (tmp_path / "log").read_text().splitlines() == ["at 1000"]
    assert (there / model_name(ghost_qdq)).read_bytes() == content
    assert not partial.exists()


@pytest.mark.parametrize("rest", [b"something else", b"more than all of it" * 10_000])
def test_what_was_begun_wrongly_is_begun_anew(make_device, ghost_qdq, tmp_path, there, rest):
    there.mkdir()
    (there / f".{model_name(ghost_qdq)}.partial").write_bytes(rest)
    with opened(make_device(), tmp_path) as board:
        if len(rest) < ghost_qdq.stat().st_size:
            with pytest.raises(InputError, match="damaged"):
                board.load((ghost_qdq,), 1, 1)
        board.load((ghost_qdq,), 1, 1)


def test_a_model_damaged_on_its_way_is_none(make_device, ghost_qdq, tmp_path, there):
    damaging = """
    def receive(self, name, part, at, sha256, is_last):
        super().receive(name, part ^ (np.arange(len(part)) == 7).astype(np.uint8), at, sha256, is_last)
    """
    with opened(make_device(damaging), tmp_path) as board, pytest.raises(InputError, match="damaged"):
        board.load((ghost_qdq,), 1, 1)
    assert list(there.iterdir()) == []


def test_a_folder_that_takes_nothing(make_device, ghost_qdq, tmp_path):
    (tmp_path / "file").touch()
    device = make_device(folder=str(tmp_path / "file" / "models"))
    with (
        opened(device, tmp_path) as board,
        pytest.raises(InputError, match="cannot take the model: Not a directory") as refused,
    ):
        board.load((ghost_qdq,), 1, 1)
    assert "devices.yaml" in refused.value.fix


def test_a_disk_that_is_full_there(make_device, ghost_qdq, tmp_path):
    full = """
    def receive(self, name, part, at, sha256, is_last):
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        super().receive(name, part, at, sha256, is_last)
    """
    with opened(make_device(full), tmp_path) as board, pytest.raises(InputError, match="cannot take the model"):
        board.load((ghost_qdq,), 1, 1)


def test_only_models_are_cleaned_away(make_device, ghost_qdq, tmp_path, there):
    there.mkdir()
    (there / "thesis.tex").write_text("mine")
    (there / f".{'0' * 32}.tflite.partial").write_bytes(b"begun")
    with opened(make_device(), tmp_path) as board:
        board.load((ghost_qdq,), 1, 1)
        assert board.clean() == ghost_qdq.stat().st_size + 5
        assert [path.name for path in there.iterdir()] == ["thesis.tex"]
        (there / "thesis.tex").unlink()
        assert board.clean() == 0
    assert not there.exists()


def test_a_runtime_that_is_not_there(make_device, ghost_qdq, tmp_path):
    hiding = """
    sys.modules["onnxruntime"] = None
    """
    with (
        opened(make_device(hiding), tmp_path) as board,
        pytest.raises(RuntimeMissingError, match="onnxruntime cannot be imported there"),
    ):
        board.load((ghost_qdq,), 1, 1)


@pytest.fixture(scope="module")
def answers(make_device_in, tmp_path_factory):
    """A device that answers every question with what an expression comes to, and a way to give the expression."""
    folder = tmp_path_factory.mktemp("nonsense")
    expression = folder / "expression"
    expression.write_text("None")
    methods = f"""
    def __getattribute__(self, name):
        real = Honest("onnxruntime")
        return lambda **_given: eval(open({str(expression)!r}).read(), globals(), {{"self": real, "name": name}})
    """
    with make_device_in(folder, methods).open("onnxruntime", log=folder / "log", timeout_s=60) as there:

        def answering(text):
            expression.write_text(text)
            return there

        yield answering


@pytest.mark.parametrize(
    ("question", "expression", "says"),
    [
        ("embed", "np.zeros((4, 8), np.float32)", r"answered 5 faces with .*\(4, 8\)"),
        ("embed", "np.zeros((5, 0), np.float32)", r"with float32 \(5, 0\)"),
        ("embed", "np.zeros((5, 8))", r"with float64 \(5, 8\)"),
        ("embed", "np.zeros(5, np.float32)", r"with float32 \(5,\)"),
        ("embed", "[[0.5] * 8] * 5", "no array where one was due"),
        ("embed", "{'array': 3}", "no array where one was due"),
        ("embed", "{}['x' * 99999]", "x{1000,2100}…"),
        ("time", "[1.0]", "timed 1 of 3"),
        ("time", "[1.0, -1.0, 1.0]", "told '-1.0' where a number"),
        ("time", "[1.0, 0.0, 1.0]", "told '0.0' where a number"),
        ("time", "[1.0, float('nan'), 1.0]", "told 'nan' where a number"),
        ("time", "'quick'", "answered by something else"),
        ("peak_rss_mb", "float('inf')", "told 'inf' where a number"),
        ("clean", "-1", "told '-1' where a number"),
        ("load", "0 if name == 'holds' else -1", "told '-1' where a number"),
        ("load", "1 if name == 'holds' else -1.0", "told '-1.0' where a number"),
        ("load", "-1", "answered by something else"),
        ("facts", "{'machine': 'm'}", "describes itself as nothing that is known"),
        ("facts", "{**self.facts(), 'memory_mb': -1}", "describes itself as nothing"),
        ("facts", "{**self.facts(), 'cores': 0}", "describes itself as nothing"),
        ("facts", "{**self.facts(), 'cpu': 'x' * 201}", "describes itself as nothing"),
        ("facts", "{**self.facts(), 'os': ''}", "describes itself as nothing"),
        ("facts", "{**self.facts(), 'extra': 1}", "describes itself as nothing"),
        ("facts", "self.facts() if name == 'facts' else '0' * 64", "computes wrongly"),
        ("conditions", "{**self.conditions(), 'load': float('nan')}", "describes itself as nothing"),
        ("conditions", "{**self.conditions(), 'frequency_mhz': 0}", "describes itself as nothing"),
        ("conditions", "{**self.conditions(), 'temperature_c': 1e9}", "describes itself as nothing"),
    ],
)
def test_nonsense_is_refused(answers, ghost_qdq, few_faces, question, expression, says):
    arguments = {"embed": (few_faces,), "time": (few_faces[:1], 3), "load": ((ghost_qdq,), 1, 1)}
    there = answers(expression)
    with pytest.raises(ToolError, match=says) as refused:
        getattr(there, question)(*arguments.get(question, ()))
    assert not isinstance(refused.value, ChildDeath)


def test_half_a_character_is_written_out(answers):
    there = answers(r"{**self.facts(), 'cpu': '\ud800'} if name == 'facts' else self.canary()")
    assert there.facts().cpu == "\\ud800"


def test_a_machine_of_no_special_features_is_believed(answers):
    there = answers("{**self.facts(), 'features': ''} if name == 'facts' else self.canary()")
    assert there.facts().features == ""


def speaking(content):
    """A program that answers everything with these bytes."""
    return (sys.executable, "-c", f"import sys; sys.stdout.buffer.write({content!r}); sys.stdout.flush(); input()")


def message(header, more=b""):
    return struct.pack("<I", len(header)) + header + more


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("echo", "Welcome to Raspbian"), "answered by a header of 1668048215 bytes"),
        (speaking(b"\xff\xff\xff\xff"), "a header of 4294967295 bytes"),
        (speaking(message(b"[]")), "no header"),
        (speaking(message(b'{"arrays": [["<f4", [1e10]]]}')), "an array of float32"),
        (speaking(message(b'{"arrays": [["<f4", [65536, 65536]]]}')), "an array of float32"),
        (speaking(message(b'{"arrays": [["<f4", [8192, 8193]]]}')), r"an array of float32 \[8192, 8193\]"),
        (speaking(message(b'{"arrays": [["O", [1]]]}')), "an array of 'O'"),
        (speaking(message(b'{"arrays": [], "alive": null}')), "float"),
        (speaking(message(b'{"arrays": [], "told": 5}')), "answered by something else"),
        (speaking(message(b'{"arrays": [], "refused": {"error": 5}}')), "answered by something else"),
        (speaking(message(b'{"arrays": [], "refused": {"error": "E", "message": 5, "fix": ""}}')), "something else"),
        (speaking(message(b'{"arrays": [], "failed": 5}')), "answered by something else"),
        (("cat",), "answered by something else"),
        (("true",), "exit code 0"),
        (("sh", "-c", "kill -9 $$"), "killed by SIGKILL"),
    ],
)
def test_what_speaks_no_protocol_is_no_device(make_device, tmp_path, command, says):
    with opened(make_device(command=command), tmp_path) as there, pytest.raises(ToolError, match=says):
        there.conditions()


def test_what_cannot_be_started_says_so(make_device, tmp_path):
    device = make_device(command=("no-such-program",))
    with pytest.raises(ToolError, match="no-such-program cannot be started"), opened(device, tmp_path):
        pytest.fail("it was started")


def test_killed_there(make_device, few_faces, tmp_path):
    with (
        opened(make_device("def embed(self, faces): os.kill(os.getpid(), 9)"), tmp_path) as there,
        pytest.raises(ChildDeath, match=r"pi4: the process was killed by SIGKILL .* during embed") as death,
    ):
        there.embed(few_faces)
    assert not isinstance(death.value, LineBroken)


def test_the_last_words_are_told_and_those_of_before_are_not(make_device, few_faces, tmp_path):
    (tmp_path / "log").write_text("Host key verification failed.\n")
    dying = """
    def embed(self, faces):
        os.write(2, b"the NPU's driver\\x1b[2J is gone\\n")
        os._exit(3)
    """
    with opened(make_device(dying), tmp_path) as there, pytest.raises(ChildDeath) as death:
        there.embed(few_faces)
    assert death.value.message.endswith("exit code 3 during embed (the NPU's driver\\x1b[2J is gone)")


def test_a_python_without_numpy(make_device, application, tmp_path):
    device = make_device(command=(sys.executable, "-S", "-I", str(application)))
    with opened(device, tmp_path) as there, pytest.raises(ChildDeath, match="its Python has no NumPy") as death:
        there.facts()
    assert "pip install numpy" in death.value.fix


def test_reference_kernels_run_where_they_are_asked_for(make_device, ghost_qdq, few_faces, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    from ghostface_edge.targets.tflite import TfliteTarget
    from ghostface_edge.targets.tflite.runtime import TfliteEmbedder

    artifact = tmp_path / "tiny.tflite"
    TfliteTarget().lower_quantized(ghost_qdq, artifact)
    for reference in (False, True):
        embedder = TfliteEmbedder(artifact, 1, 5, reference_kernels=reference)
        here = embedder.run(embedder.prepare(few_faces))
        with make_device().open("tflite", log=tmp_path / "log", timeout_s=60, reference_kernels=reference) as there:
            there.load((artifact,), 1, 1)
            assert there.embed(few_faces).tobytes() == here.tobytes()
