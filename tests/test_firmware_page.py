"""docs/firmware.md: its C compiles and links, its linker lines do as they say, its names are of files that ship."""

import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.targets.c.target import CTarget
from ghostface_edge.targets.tflite_micro.presets import PRESETS

from .targets.tflite.conftest import _network as write_network

PAGE = (Path(__file__).resolve().parents[1] / "docs/firmware.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, flags=re.DOTALL)
RUNNERS = Path(str(files("ghostface_edge.targets"))) / "runners/sources"
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror")
SCRIPT = """
MEMORY {
  FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 128K
  QSPI (rx) : ORIGIN = 0x90000000, LENGTH = 8M
  RAM_D1 (xrw) : ORIGIN = 0x24000000, LENGTH = 512K
}
ENTRY(main)
SECTIONS {
LINES
    .text : { *(.text*) *(.rodata*) } >FLASH
    .data : { *(.data*) *(.bss*) *(COMMON) } >RAM_D1
}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """`model.c` and `model.h` of a small network, and a `thresholds.h`."""
    folder = tmp_path_factory.mktemp("project")
    qdq, last = write_network()
    CTarget().lower_quantized(qdq.save(folder / "model.qdq.onnx", last), folder / "model.c")
    (folder / "thresholds.h").write_text("#define THRESHOLD 0.3f\n")
    return folder


def block(language, word):
    (found,) = (text for kind, text in BLOCKS if kind == language and word in text)
    return found


def tool(name):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name}")
    return path


def test_what_calls_the_network_compiles_links_and_tells_people_apart(project):
    (project / "face.c").write_text(block("c", "is_same_person"))
    (project / "main.c").write_text(
        '#include "model.h"\n'
        "int is_same_person(const uint8_t *rgb, const int8_t *enrolled);\n"
        "static uint8_t rgb[MODEL_SIZE * MODEL_SIZE * 3], arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));\n"
        "static int8_t enrolled[MODEL_EMBEDDING_SIZE];\n"
        "int main(void)\n{\n    int i;\n"
        "    if (model_embed(rgb, arena, enrolled) || !is_same_person(rgb, enrolled)) return 1;\n"
        "    for (i = 0; i < MODEL_EMBEDDING_SIZE; ++i)\n"
        "        enrolled[i] = (int8_t)(2 * MODEL_EMBEDDING_ZERO_POINT - enrolled[i]);\n"
        "    return is_same_person(rgb, enrolled);\n}\n"
    )
    sources = [project / name for name in ("face.c", "main.c", "model.c")]
    for flags in ((), ("-DMODEL_PORTABLE",)):
        subprocess.run([tool("cc"), *STRICT, *flags, "-O1", "-o", project / "program", *sources], check=True)
        assert subprocess.run([project / "program"], check=False).returncode == 0


def test_a_second_network_has_names_of_its_own(project):
    renamed = [f"-D{name}=second_{name}" for name in set(re.findall(r"\bmodel_\w+", (project / "model.h").read_text()))]
    assert "-Dmodel_embed=second_model_embed" in renamed
    for name, flags in {"one.o": [], "other.o": renamed}.items():
        subprocess.run([tool("cc"), *flags, "-c", project / "model.c", "-o", project / name], check=True)
    linked = [tool("ld"), "-r", "-o", project / "both.o", project / "one.o", project / "other.o"]
    subprocess.run(linked, check=True)


def test_bare_cmake_builds(project, tmp_path):
    (project / "CMakeLists.txt").write_text(block("cmake", "project(product C)"))
    flags = []
    if shutil.which("arm-none-eabi-gcc"):
        (command,) = re.findall(r"cmake -B build (.*?)\n\n", PAGE, flags=re.DOTALL)
        flags = [word.replace('"', "") for word in re.findall(r'-D\w+=(?:"[^"]*"|\S+)', command)]
        assert len(flags) == 4
    cmake = tool("cmake")
    subprocess.run([cmake, "-S", project, "-B", tmp_path, *flags], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([cmake, "--build", tmp_path], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "libface.a").is_file()


def test_the_linker_lines_put_weights_and_arena_where_they_say(project, tmp_path):
    compiler, lines = tool("arm-none-eabi-gcc"), [text for kind, text in BLOCKS if kind == "ld"]
    assert len(lines) == 2
    (tmp_path / "script.ld").write_text(SCRIPT.replace("LINES", "".join(lines)))
    face = block("c", "is_same_person").replace("aligned(16)", 'aligned(16), section(".arena")')
    (tmp_path / "face.c").write_text(f"{face}\nint main(void) {{ return is_same_person(arena, 0); }}\n")
    options = ["-mcpu=cortex-m7", "-mthumb", "-fdata-sections", f"-I{project}"]
    for source in (project / "model.c", tmp_path / "face.c"):
        subprocess.run([compiler, *options, "-c", source, "-o", tmp_path / f"{source.stem}.o"], check=True)
    objects = [tmp_path / "model.o", tmp_path / "face.o"]
    linked = [compiler, *options, "-nostartfiles", "--specs=nosys.specs", "-T", tmp_path / "script.ld", *objects]
    subprocess.run([*linked, "-o", tmp_path / "program.elf"], check=True)
    headers = subprocess.run(
        ["arm-none-eabi-objdump", "-h", tmp_path / "program.elf"], capture_output=True, text=True, check=True
    )
    sections = {line.split()[1]: line.split()[2:4] for line in headers.stdout.splitlines() if " ." in line}
    arena = int(re.search(r"MODEL_ARENA_BYTES (\d+)", (project / "model.h").read_text())[1])
    assert int(sections[".arena"][0], 16) == arena
    assert sections[".arena"][1].startswith("24")
    weights = int(sections[".weights"][0], 16)
    assert weights > 1000
    assert sections[".weights"][1].startswith("90")
    assert int(sections[".text"][0], 16) < 20_000


def test_the_self_test_compiles(project, tmp_path):
    (tmp_path / "check.c").write_text(block("c", "check_board"))
    (flags,) = re.findall(r"`(-DMODEL_HEADER=.*?)`", PAGE)
    defined = [flag.replace("'", "") for flag in flags.split()]
    sources = [tmp_path / "check.c", RUNNERS / "common/selftest.c", RUNNERS / "c/runtime.c"]
    folders = [f"-I{project}", f"-I{RUNNERS / 'common'}"]
    subprocess.run([tool("cc"), *STRICT, *defined, *folders, "-c", *sources], cwd=tmp_path, check=True)


def test_names_are_of_files_that_ship():
    assert {"ethos-u55-64", "ethos-u85-256"} <= {preset.name for preset in PRESETS}
    named = re.findall(r"`out/runners/((?:common|c|tflite-micro)/[\w.]*)`", PAGE)
    assert {"common/alignment.c", "c/", "tflite-micro/"} <= {*named}
    for name in named:
        folder, _, file = name.partition("/")
        places = {"tflite-micro": RUNNERS.parents[1] / "tflite_micro/sources"}
        assert (places.get(folder, RUNNERS / folder) / file).exists(), name
