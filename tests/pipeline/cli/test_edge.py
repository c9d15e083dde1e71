"""The edge of the command line: streams, arguments, signals and memory as nobody would wish them."""

import os
import shlex
import signal
import subprocess
import sys

import psutil
import pytest

from ghostface_edge.pipeline.cli.options import check_output, cores
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import write_text

from .conftest import arguments_of

PROGRAM = (sys.executable, "-m", "ghostface_edge.pipeline")


MANY_THREADS = (
    "import resource, threading; resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29)); done = threading.Event(); "
    "[threading.Thread(target=done.wait, daemon=True).start() for _ in range(1000)]"
)


@pytest.fixture
def shell(cache):
    """Run a line of shell in which `$G` is the program."""

    def call(line, **environment):
        return subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            env={**os.environ, "GHOSTFACE_EDGE_CACHE": str(cache), "G": shlex.join(PROGRAM), **environment},
            check=False,
        )

    return call


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("$G fetch > /dev/full", 3, b"standard output cannot be written: No space left on device"),
        ("$G fetch >&-", 3, b"standard output cannot be written"),
        ("$G fetch | true; exit ${PIPESTATUS[0]}", 0, b""),
        ("$G gate gone.json | true; exit ${PIPESTATUS[0]}", 2, b"gone.json cannot be read"),
        ("$G fetch > /dev/null 2>&-", 0, b""),
        ("$G fetch 2> /dev/full > /dev/null", 0, b""),
        ("$G gate gone.json <&- >&-", 2, b"gone.json cannot be read"),
        ("$G gate gone.json 2> /dev/full", 2, b""),
    ],
)
def test_a_stream_that_takes_nothing_costs_the_result_or_only_the_message(shell, line, code, says):
    done = shell(line)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_what_a_terminal_cannot_show_is_escaped(shell):
    done = shell("$G fetch", PYTHONIOENCODING="ascii", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert b"v1-0.5-2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("inspect $'\\xff.bin'", "'\\udcff.bin' is not UTF-8"),
        ("inspect ''", "an argument is empty"),
        ("run --targets=", "an argument is empty"),
        ("inspect $(printf 'x%.0s' {1..5000}).h5", "File name too long"),
        ("run --seed -1", "greater than or equal to 0"),
        ("run --seed 4294967296", "less than or equal to 4294967295"),
        ("run --calibration-faces 0", "greater than or equal to 1"),
        ("run --jobs 0", "greater than or equal to 1"),
        ("train --out out --width nan", "width"),
        ("train --out out --learning-rate inf", "learning_rate"),
        ("export net.h5 -o net.onnx --batch 1000000", "less than or equal to 1024"),
        ("run --out $GHOSTFACE_EDGE_CACHE/out", "lies in the cache"),
        ("run balancd", "did you mean `balanced`"),
        ("targets install tflite-runtme", "did you mean 'tflite-runtime'?"),
        ("targets upgrade", "lists, installs or removes"),
    ],
)
def test_arguments_of_no_use_are_one_message_and_leave_nothing(shell, tmp_path, arguments, says):
    done = shell(f"cd {tmp_path} && $G {arguments}", COLUMNS="200")
    assert done.returncode == 2, done.stderr
    assert says in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        ("inspect {}", "pipe"),
        ("export {} -o net.onnx", "pipe"),
        ("export {} -o net.onnx", "folder"),
        ("quantize {} --target tflite --calibration . -o out", "pipe"),
        ("evaluate {} --pairs {}", "pipe"),
        ("benchmark {}", "pipe"),
        ("run --checkpoint {} --pairs {} --calibration .", "pipe"),
        ("run --checkpoint {} --pairs {} --calibration .", "missing"),
        ("align . -o faces --landmarks {}", "pipe"),
    ],
)
def test_what_is_no_file_is_refused_without_waiting(shell, tmp_path, verb, kind):
    path = tmp_path / "net.onnx"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    done = shell(f"cd {tmp_path} && $G {verb.format(path, path)}")
    assert done.returncode == 2, done.stderr
    assert b"net.onnx" in done.stderr
    assert b"Traceback" not in done.stderr
    assert not [each for each in tmp_path.iterdir() if each != path]


@pytest.mark.parametrize("kind", ["pipe", "file", "dangling", "below a file"])
def test_an_output_that_could_not_be_written_is_refused_before_the_work(tmp_path, kind):
    out = tmp_path / "out"
    if kind == "pipe":
        os.mkfifo(out)
    elif kind == "dangling":
        out.symlink_to(tmp_path / "nowhere")
    else:
        out.touch()
    with pytest.raises(InputError, match="cannot be written"):
        check_output(out / "deeper" if kind == "below a file" else out, is_folder=True)


def test_a_link_to_a_folder_and_a_new_folder_are_outputs(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    check_output(tmp_path / "link", is_folder=True)
    check_output(tmp_path / "link/new/folder", is_folder=True)
    check_output(tmp_path / "new.onnx")


def test_a_link_to_itself_is_left_to_whoever_writes_there(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    check_output(tmp_path / "loop")
    write_text(tmp_path / "loop", "new")
    assert (tmp_path / "loop").read_text() == "new"


def test_more_cores_than_there_are_is_said(capsys):
    usable = len(os.sched_getaffinity(0))
    assert (cores(None), cores(1), cores(100_000)) == (usable, 1, usable)
    assert capsys.readouterr().err == f"warning: 100000 cores were asked for and {usable} can be used\n"


WORK = """
import sys, tempfile, time
from pathlib import Path
from ghostface_edge.pipeline.cli import app
from ghostface_edge.targets.places.place import LOCAL

class Sleeper:
    def sleep(self) -> None:
        time.sleep(600)

@app.app.command("toil")
def toil() -> None:
    with tempfile.TemporaryDirectory() as folder, LOCAL.open(Sleeper, log=Path(folder) / "log") as sleeper:
        print("ready", flush=True)
        sleeper.sleep()

if __name__ == "__main__":
    sys.modules["work"] = sys.modules["__main__"]
    Sleeper.__module__ = "work"
    sys.argv[1:] = ["toil"]
    app.main()
"""
"""A verb that makes a temporary folder and waits for a child process."""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("number", "ignoring"),
    [(signal.SIGINT, ""), (signal.SIGTERM, ""), (signal.SIGHUP, ""), (signal.SIGTERM, "trap '' HUP; ")],
)
def test_a_signal_closes_what_is_open_and_is_the_exit_code(tmp_path, number, ignoring):
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "tmp").mkdir()
    line = f"{ignoring}exec {shlex.join((sys.executable, str(tmp_path / 'work.py')))}"
    process = psutil.Popen(
        ["bash", "-c", line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )
    assert process.stdout.readline() == b"ready\n"
    (child,) = process.children()
    if ignoring:
        process.send_signal(signal.SIGHUP)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 128 + number, said
    assert f"ended by {number.name}; what was finished is kept".encode() in said
    assert b"Traceback" not in said
    assert not child.is_running()
    assert not list((tmp_path / "tmp").iterdir())


def test_a_run_that_is_ended_leaves_no_report_and_nothing_half_made(given, tmp_path):
    cache, options = tmp_path / "cache", [*arguments_of(given), "--targets", "onnxruntime-fp32"]
    process = psutil.Popen(
        [*PROGRAM, "run", *map(str, options), "--out", tmp_path / "out"],
        stderr=subprocess.PIPE,
        env={**os.environ, "GHOSTFACE_EDGE_CACHE": str(cache)},
    )
    while not process.children():
        assert process.poll() is None, process.stderr.read()
    process.terminate()
    _, said = process.communicate()
    assert process.returncode == 143, said
    assert not list(cache.rglob("*partial*"))
    assert not (tmp_path / "out/report.json").exists()


def run_script(text):
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.usefixtures("interruptible")
def test_a_second_signal_ends_at_once():
    process = run_script(
        "import signal\nfrom ghostface_edge.pipeline.cli.signals import Ended, raise_signals\nraise_signals()\n"
        "try:\n    print('ready', flush=True)\n    signal.pause()\n"
        "except Ended as ended:\n    print(ended.exit_code, flush=True)\n    signal.pause()\n"
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "143\n"
    process.send_signal(signal.SIGHUP)
    process.communicate()
    assert process.returncode == -signal.SIGHUP


@pytest.mark.parametrize(
    ("work", "says", "code"),
    [
        ("bytes(9 << 30)", "more than 8192 MB of memory were needed", 3),
        ("[0] * (1 << 31)", "more than 8192 MB of memory were needed", 3),
        ("open('/nowhere/net.onnx', 'w')", "/nowhere/net.onnx cannot be used: No such file or directory", 2),
        ("os.write(os.open('/dev/full', os.O_WRONLY), b'x')", "No space left on device", 3),
        (MANY_THREADS, "the system has no room for another thread", 3),
    ],
)
def test_what_the_system_refuses_is_one_message(work, says, code):
    process = run_script(
        "import os, sys\nfrom ghostface_edge.pipeline.cli import app\n"
        f"@app.app.command('toil')\ndef toil() -> None:\n    {work}\n"
        "sys.argv[1:] = ['toil']\napp.main()\n"
    )
    _, said = process.communicate()
    assert process.returncode == code, said
    assert says in said
    assert said.count("error:") == 1
    assert "Traceback" not in said
