"""`nox -s NAME`, each session in an environment of its own, at pinned versions; CONTRIBUTING.md says what for."""

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.sessions = ["lint", "tests"]
nox.options.default_venv_backend = "virtualenv"

PYPROJECT = nox.project.load_toml("pyproject.toml")
PACKAGES = ("calibration", "pipeline", "reports", "targets")
LATER_PYTHONS = ("3.12", "3.13", "3.14")
TENSORFLOW = ("tensorflow-cpu==2.21.0", "onnx==1.23.2")
TF_KERAS = "tf-keras==2.21.0"


def install(session: nox.Session, extras: str, *groups: str) -> None:
    """Install the project as users get it, with extras and the groups' tools, at the pinned versions."""
    tools = nox.project.dependency_groups(PYPROJECT, *groups) if groups else ()
    session.install(f".[{extras}]", *tools, "--constraint", "constraints.txt")


def second_python(session: nox.Session, *requirements: str) -> str:
    """Make an environment inside the session's, for what cannot share ours; returns its Python."""
    folder = Path(session.create_tmp()) / "second"
    session.run("python", "-m", "venv", str(folder))
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    session.run(python, "-m", "pip", "install", "--quiet", *requirements, external=True)
    return python


@nox.session
def run(session: nox.Session) -> None:
    """The main job: `nox -s run -- --checkpoint NET.h5 --pairs lfw.bin --calibration FACES`.

    A verdict of fail (1) or inconclusive (4) is an answer, not a failure of the session; CI takes it from
    `ghostface-edge gate`.
    """
    install(session, "all,micro")
    session.run("ghostface-edge", "run", *session.posargs, success_codes=[0, 1, 4])


@nox.session
def tests(session: nox.Session) -> None:
    """The test suite; `tests-3.12` and so on run it on the Python of that version."""
    install(session, "all,dask,micro,pkcs11,s3", "test", "node")
    session.run("ghostface-edge", "targets", "install", "web", success_codes=[0, 3])  # out of reach, its tests skip
    session.run("pytest", "--numprocesses", "auto", "--maxprocesses", "4", "--no-loadscope-reorder", *session.posargs)


for version in LATER_PYTHONS:
    nox.session(tests.func, name=f"tests-{version}", python=version)


@nox.session
def lint(session: nox.Session) -> None:
    """Format, lint, types; the files that CI and Docker read."""
    install(session, "all,dask,pkcs11,s3", "lint", "test")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    session.run("mypy", "--package", "ghostface_edge")
    session.run("mypy", "tests/pipeline/api/script.py")
    session.run("pytest", "--quiet", "tests/test_ci_files.py")


@nox.session
def dist(session: nox.Session) -> None:
    """Build and check wheel and sdist, and run the wheel where nothing but its own dependencies are."""
    folder = Path(session.create_tmp()) / "dist"
    tools = nox.project.dependency_groups(PYPROJECT, "dist", "test")
    session.install(".", *tools, "--constraint", "constraints.txt")
    session.run("python", "-m", "build", "--outdir", str(folder))
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    session.run("check-wheel-contents", str(wheel))
    bare = second_python(session, str(wheel), "--constraint", "constraints.txt")
    programs = {"BARE": str(Path(bare).parent.resolve())}
    session.run("pytest", "tests/test_packaging.py", "tests/test_bare_install.py", *session.posargs, env=programs)


@nox.session
def hostile(session: nox.Session) -> None:
    """Every hostile file against the command line, each in a process of its own: `nox -s hostile -- [PATTERN…]`."""
    install(session, "all,micro", "test")
    session.run("python", "-m", "tests.hostile", *session.posargs)


@nox.session
def tampering(session: nox.Session) -> None:
    """Every change of a signed bundle has to be refused: `nox -s tampering -- BUNDLE PUBLIC_KEY [--changes 1000]`."""
    install(session, "all", "test")
    session.run("python", "-m", "tests.pipeline.release.tampering", *session.posargs)


@nox.session(python="3.11")
def fuzz(session: nox.Session) -> None:
    """Every parser of strangers' files for 60 s: `nox -s fuzz -- [NAME…] [--seconds N|--runs N] [--replay FILE]`.

    Python 3.11 is what atheris has wheels for.
    """
    install(session, "all,micro", "test", "fuzz")
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session
def golden(session: nox.Session) -> None:
    """Record every figure and model hash of the jobs, or check them.

    `nox -s golden -- record|check FILE --checkpoint NET.h5 --pairs lfw.bin --calibration FACES`
    """
    install(session, "all,micro")
    session.run("python", "tests/golden.py", *session.posargs)


@nox.session
def diagnosis(session: nox.Session) -> None:
    """Faulty devices named and clean ones not accused, on a folder of real artifacts: `nox -s diagnosis -- MODELS`.

    Clean devices are examined 100 times, 20 each.
    """
    install(session, "all", "test")
    models, *rest = session.posargs
    session.run("pytest", "tests/targets/diagnosis", *rest, env={"MODELS": models, "CLEAN_RUNS": "20"})


@nox.session
def faults(session: nox.Session) -> None:
    """Kill, stop and starve the main job at every stage: `nox -s faults -- --kills 200 --others 60`."""
    install(session, "all")
    session.run("python", "-m", "tests.faults.campaign", *session.posargs)


@nox.session
def store(session: nox.Session) -> None:
    """Kill writers of a shared store at random moments, and time it: `nox -s store -- --kills 50 --mb 8`."""
    install(session, "all,s3", "test")
    session.run("python", "-m", "tests.shared_store.campaign", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Many runs in one process, and one over many images: `nox -s soak -- --runs 100 --images 13000`."""
    install(session, "all")
    session.run("python", "-m", "tests.soak.soak", *session.posargs)


@nox.session
def matrix(session: nox.Session) -> None:
    """A matrix under measurement and under fire: `nox -s matrix -- speed|equal|kills|scheduler|deadly|large`."""
    install(session, "all,dask")
    session.run("python", "-m", "tests.matrix.campaign", *session.posargs)


@nox.session
def devices(session: nox.Session) -> None:
    """A device behind SSH whose cable is pulled: `nox -s devices -- MODEL.tflite PAIRS.bin --faces 0 --kills 50`."""
    install(session, "all")
    session.run("python", "-m", "tests.devices.campaign", *session.posargs)


@nox.session
def firmware(session: nox.Session) -> None:
    """Bare metal under QEMU, byte for byte: `nox -s firmware -- MODEL-c-int8.tflite PAIRS.bin --faces 50`."""
    install(session, "all,micro")
    session.run("python", "-m", "tests.firmware.campaign", *session.posargs)


@nox.session(name="c-everywhere")
def c_everywhere(session: nox.Session) -> None:
    """Machines with a system, byte for byte: `nox -s c-everywhere -- MODEL-c-int8.tflite PAIRS.bin --faces 7701`."""
    install(session, "all")
    session.run("python", "-m", "tests.everywhere.campaign", *session.posargs)


@nox.session
def history(session: nox.Session) -> None:
    """How often a history shows a change that is none, and one that is: `nox -s history -- --histories 200`."""
    install(session, "history")
    session.run("python", "-m", "tests.history.campaign", *session.posargs)


@nox.session
def honesty(session: nox.Session) -> None:
    """Every field of a good report set to every wrong value; the test suite tries a tenth of them."""
    install(session, "all", "test")
    session.run("pytest", "tests/reports/test_honesty.py", *session.posargs, env={"EVERY_NTH_WRONG_VALUE": "1"})


@nox.session
def coverage(session: nox.Session) -> None:
    """Branches that the test suite runs, child processes included: 90 % of all, and every one of the guards."""
    install(session, "all,dask,micro,pkcs11,s3", "test", "coverage")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "--numprocesses", "auto", "--maxprocesses", "4", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    for package in PACKAGES:
        session.run("coverage", "report", "--format", "total", "--fail-under", "0", "--include", f"{package}/*")
    guards = ",".join(PYPROJECT["tool"]["ghostface-edge"]["guards"])
    session.run("coverage", "report", "--show-missing", "--fail-under", "100", "--include", guards)
    session.run("coverage", "report", "--skip-covered", "--fail-under", "90")


@nox.session
def mutate(session: nox.Session) -> None:
    """Change every guard a little and see whether its own tests notice: `nox -s mutate -- [PART OF A PATH…]`."""
    install(session, "all,dask,micro", "test", "mutate")
    session.run("python", "-m", "tests.mutation", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site, into out/site: `nox -s docs`; every link, anchor and page size is checked."""
    tools = nox.project.dependency_groups(PYPROJECT, "docs")
    session.install(".", *tools, "--constraint", "constraints.txt")  # no runtime is needed to describe them
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # the theme's advertisement of its successor
    session.run("mkdocs", "build", "--strict", *session.posargs)
    session.run("python", "docs/generate/check.py", "out/site")


@nox.session
def bench(session: nox.Session) -> None:
    """Stock and ours side by side: `nox -s bench -- OUT [CHECKPOINT of V1-0.5-2]`."""
    install(session, "all")
    session.run("python", "-m", "ghostface_edge.pipeline.bench", *session.posargs)


@nox.session
def tensorflow(session: nox.Session) -> None:
    """`tflite-int8` against TensorFlow's own converter: `nox -s tensorflow -- OUT [CHECKPOINT of V1-0.5-2]`."""
    install(session, "all")
    python = second_python(session, *TENSORFLOW)
    session.run(python, "-m", "pip", "install", "--quiet", "--no-deps", TF_KERAS, external=True)
    out, *checkpoint = session.posargs or ["out/bench"]
    session.run("python", "-m", "ghostface_edge.pipeline.bench.tensorflow_rival", out, python, *checkpoint)


@nox.session
def boards(session: nox.Session) -> None:
    """The `.tflite` files on tflite-runtime 2.14: `nox -s boards -- OUT [CHECKPOINT PAIRS.bin CALIBRATION]`."""
    install(session, "all")
    session.run("ghostface-edge", "targets", "install", "tflite-runtime")
    out, *given = session.posargs or ["out/boards"]
    session.run("python", "-m", "ghostface_edge.pipeline.bench.boards", out, *given)


@nox.session
def toolchains(session: nox.Session) -> None:
    """What is tested of a target in an environment of its own: `nox -s toolchains -- NAME`, as `targets` lists them."""
    install(session, "all", "test", "node")
    (name,) = session.posargs or ["tflite-runtime"]
    session.run("ghostface-edge", "targets", "install", name)
    session.run("pytest", "tests/targets", "-k", name)


@nox.session
def runners(session: nox.Session) -> None:
    """Build and run the programs that ship with a run: `nox -s runners -- RUN [FOLDER of ONNX Runtime]`."""
    install(session, "all")
    session.run("python", "-m", "ghostface_edge.pipeline.bench.runners", *session.posargs)
