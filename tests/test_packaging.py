import ast
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ORDER = ("reports", "calibration", "targets", "pipeline")
API = Path("pipeline/api")
"""Installs as `ghostface_edge` itself."""


def packages_in_tree():
    return {init.parent.relative_to(ROOT) for top in ORDER for init in (ROOT / top).rglob("__init__.py")}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Names in the sdist of what git holds, and in the wheel that is built from that sdist."""
    if not (ROOT / ".git").exists():
        pytest.skip("only a clone knows what git holds")
    folder = tmp_path_factory.mktemp("distributions")
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "source"], check=True)
    command = [sys.executable, "-m", "build", "--outdir", folder, folder / "source"]
    subprocess.run(command, check=True, capture_output=True)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in (one.name for one in archive if one.isfile())}
    with zipfile.ZipFile(wheel) as archive:
        return in_sdist, archive.namelist()


@pytest.fixture(scope="module")
def wheel_names(distributions):
    return distributions[1]


def test_the_sdist_holds_what_git_does(distributions):
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True, text=True)
    held, in_git = distributions[0], set(listed.stdout.split("\0")) - {""}
    assert in_git - held == set()
    assert {name.split("/")[0] for name in held - in_git} == {"PKG-INFO", "setup.cfg", "ghostface_edge.egg-info"}


def test_the_wheel_holds_ghostface_edge_only(wheel_names):
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ghostface_edge"}


def test_the_wheel_holds_every_package_typed_and_with_its_data(wheel_names):
    for package in packages_in_tree():
        inside = "" if package == API else f"{package.as_posix()}/"
        assert f"ghostface_edge/{inside}__init__.py" in wheel_names
    assert "ghostface_edge/pipeline/api/__init__.py" not in wheel_names
    for typed in ("", *(f"{top}/" for top in ORDER)):
        assert f"ghostface_edge/{typed}py.typed" in wheel_names
    for data in (
        "reports/report.schema.json",
        "reports/policy.default.yaml",
        "reports/policy.nist-800-63b.yaml",
        "reports/templates/page.html.j2",
        "targets/runners/record.c",
        "targets/runners/sources/common/alignment.c",
        "targets/runners/sources/onnxruntime-c/CMakeLists.txt",
        "targets/runners/sources/openvino-cpp/runtime.cpp",
        "targets/runners/sources/python/ghostface.py",
        "targets/runners/sources/README.md",
    ):
        assert f"ghostface_edge/{data}" in wheel_names


@pytest.mark.parametrize("top", ORDER)
def test_imports_run_one_way(top):
    allowed = ORDER[: ORDER.index(top) + 1]
    for path in (ROOT / top).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                if name.startswith("ghostface_edge."):
                    assert name.split(".")[1] in allowed, f"{path} imports {name}"


def test_help_does_not_import_heavy_libraries():
    program = (
        "import sys; sys.argv = ['ghostface-edge', '--help']\n"
        "from ghostface_edge.pipeline.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'openvino', 'cv2', 'numpy', 'pydantic', 'h5py'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "HEAVY []" in shown
    assert "run" in shown
