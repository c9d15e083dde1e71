"""The self-test on an emulated Cortex-M7, without files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ghostface_edge.targets.c.compiler import compile_c
from ghostface_edge.targets.c.metal.cores import COMPILER, CORES, EMULATOR, INSTALL, source

CORE = "cortex-m7"


@pytest.fixture(scope="module")
def said_on_the_board(run_folder, tmp_path_factory):
    if missing := [tool for tool in (COMPILER, EMULATOR) if shutil.which(tool) is None]:
        pytest.skip(f"no {missing[0]}: {INSTALL}")
    runners, network, board = run_folder / "runners", run_folder / "models/tiny-c-int8.c", CORES[CORE]
    sources = [
        *(source("startup.c"), network, Path(__file__).with_name("bare_metal.c"), runners / "c/runtime.c"),
        *(runners / "common/selftest.c", runners / "golden/golden_faces.c", runners / "golden/c-int8/golden.c"),
    ]
    memory = {
        "vectors_at": board.vectors_at,
        "flash_at": board.flash[0],
        "flash_bytes": board.flash[1],
        "ram_at": board.ram[0],
        "ram_bytes": board.ram[1],
    }
    flags = [
        *(f"-mcpu={CORE}", "-mthumb", "-mfloat-abi=hard", "-mfpu=auto", "-O1", "-fno-math-errno", "-nostartfiles"),
        *(
            f"-I{runners / 'common'}",
            f"-I{source('startup.c').parent}",
            f'-DMODEL_HEADER="{network.with_suffix(".h")}"',
        ),
        *("-DMODEL_TRACE=selftest_trace", "-DSELFTEST_FACES=2", f"-T{source('board.ld')}"),
        *(f"-Wl,--defsym={name}={value}" for name, value in memory.items()),
    ]

    def run(*options):
        program = tmp_path_factory.mktemp("board") / "selftest.elf"
        compile_c(COMPILER, sources, [*flags, *options], program)
        command = [EMULATOR, "-M", board.name, "-nographic", "-semihosting", "-kernel", program]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, (done.stdout + done.stderr).splitlines()

    return run


def test_it_passes_without_files(said_on_the_board):
    assert said_on_the_board() == (0, ["c-int8: all golden faces agree, input, embeddings and scores"])


def test_it_finds_a_mistake_there(said_on_the_board):
    assert said_on_the_board("-DBGR_MISTAKE") == (1, ["input: colour order: BGR instead of RGB (face 0)"])
