"""The far side in Node: ONNX Runtime Web leaves its standard output in a state in which it does not block."""

import fcntl
import os
import subprocess

import pytest

from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.places.inside import place_inside
from ghostface_edge.targets.places.wire import pack, unpack
from ghostface_edge.targets.web import WEB

ASKED = 20
SMALLEST_PIPE = 4096


def test_answers_are_whole_though_nobody_reads_them_yet():
    try:
        WEB.require()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE)
    command = place_inside(WEB).command
    with (
        os.fdopen(reading, "rb") as output,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.DEVNULL) as node,
    ):
        os.close(writing)
        for header in ({"arguments": {}}, *[{"call": "versions", "arguments": {}}] * ASKED):
            node.stdin.writelines(pack(header))
        node.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            node.wait(2)  # it has filled the pipe by then, and waits
        answers = [unpack(output.read)[0] for _ in range(ASKED)]
    assert all(answer["done"] == WEB.versions for answer in answers)
    assert len(str(answers)) > 2 * SMALLEST_PIPE
