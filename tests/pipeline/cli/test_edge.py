"""The edge of the command line: streams, arguments, signals and memory as nobody would wish them."""

import os
import shlex
import signal
import subprocess
import sys

import psutil
import pytest

from .conftest import arguments_of

PROGRAM = (sys.executable, "-m", "ghostface_edge.pipeline")


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
        ("run --checkpoint ''", "an argument is empty"),
        ("run --targets=", "an argument is empty"),
        ("run --seed -1", "greater than or equal to 0"),
        ("run --seed 4294967296", "less than or equal to 4294967295"),
        ("run --calibration-faces 0", "greater than or equal to 1"),
        ("run --jobs 0", "greater than or equal to 1"),
        ("quantize net.onnx --target tflite --calibration . -o out --seed -1", "greater than or equal to 0"),
        ("train --out out --seed -1", "greater than or equal to 0"),
        ("train --out out --width nan", "width"),
        ("train --out out --learning-rate inf", "learning_rate"),
        ("export net.h5 -o net.onnx --batch 1000000", "less than or equal to 1024"),
        ("run --out $GHOSTFACE_EDGE_CACHE/out", "lies in the cache"),
        ("run balancd", "did you mean `balanced`"),
    ],
)
def test_arguments_of_no_use_are_one_message_and_leave_nothing(shell, tmp_path, arguments, says):
    done = shell(f"cd {tmp_path} && $G {arguments}", COLUMNS="200")
    assert done.returncode == 2, done.stderr
    assert says in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["pipe", "folder", "missing"])
@pytest.mark.parametrize(
    "verb",
    [
        "inspect {}",
        "export {} -o net.onnx",
        "quantize {} --target tflite --calibration . -o out",
        "evaluate {} --pairs {}",
        "benchmark {}",
        "run --checkpoint {} --pairs {} --calibration .",
        "align . -o faces --landmarks {}",
    ],
)
def test_what_is_no_file_is_refused_without_waiting(shell, tmp_path, kind, verb):
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


def test_more_cores_than_there_are_is_said(cli, given, tmp_path):
    """And nothing of that size is started."""
    options = arguments_of(given | {"--calibration": tmp_path})
    done = cli("run", *options, "--jobs", "100000", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert f"100000 cores were asked for and {len(os.sched_getaffinity(0))} can be used" in done.stderr


def start(arguments, tmp_path, *, ignoring=""):
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "GHOSTFACE_EDGE_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "tmp")}
    line = f"{ignoring}exec {shlex.join((*PROGRAM, *map(str, arguments)))}"
    return psutil.Popen(["bash", "-c", line], stderr=subprocess.PIPE, env=environment)


def wait_for_child(process):
    while not (found := [child for child in process.children() if "far_side" in " ".join(child.cmdline())]):
        assert process.poll() is None, process.stderr.read()
    return found[0]


@pytest.mark.parametrize(
    ("number", "ignoring"),
    [(signal.SIGINT, ""), (signal.SIGTERM, ""), (signal.SIGHUP, ""), (signal.SIGTERM, "trap '' HUP; ")],
)
def test_a_signal_ends_everything_and_keeps_what_was_finished(given, tmp_path, number, ignoring):
    options = [*arguments_of(given), "--targets", "onnxruntime-fp32", "--out", tmp_path / "out"]
    process = start(["run", *options], tmp_path, ignoring=ignoring)
    child = wait_for_child(process)
    if ignoring:
        process.send_signal(signal.SIGHUP)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 128 + number, said
    assert f"ended by {number.name}; what was finished is kept".encode() in said
    assert b"Traceback" not in said
    assert not child.is_running()
    assert not list((tmp_path / "tmp").iterdir())
    assert not list((tmp_path / "cache").rglob("*partial*"))
    assert not (tmp_path / "out/report.json").exists()


def run_script(text):
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


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
    ("work", "says"),
    [
        ("bytes(9 << 30)", "more than 8192 MB of memory were needed"),
        ("[0] * (1 << 31)", "more than 8192 MB of memory were needed"),
        ("open('/nowhere/net.onnx', 'w')", "/nowhere/net.onnx: No such file or directory"),
        ("os.write(os.open('/dev/full', os.O_WRONLY), b'x')", "No space left on device"),
    ],
)
def test_what_the_system_refuses_is_one_message(work, says):
    process = run_script(
        "import os, sys\nfrom ghostface_edge.pipeline.cli import app\n"
        f"@app.app.command('toil')\ndef toil() -> None:\n    {work}\n"
        "sys.argv[1:] = ['toil']\napp.main()\n"
    )
    _, said = process.communicate()
    assert process.returncode == 3, said
    assert says in said
    assert said.count("error:") == 1
    assert "Traceback" not in said


def test_a_killed_run_leaves_no_process(given, tmp_path):
    options = [*arguments_of(given), "--targets", "onnxruntime-fp32", "--out", tmp_path / "out"]
    process = start(["run", *options], tmp_path)
    child = wait_for_child(process)
    process.kill()
    process.communicate()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()
