"""`nox -s run|tests|lint|bench`: every session in its own environment, from the pinned versions."""

import nox

nox.needs_version = ">=2025.2"
nox.options.sessions = ["lint", "tests"]
nox.options.default_venv_backend = "virtualenv"

PYPROJECT = nox.project.load_toml("pyproject.toml")
PACKAGES = ("calibration", "pipeline", "reports", "targets")


def install(session: nox.Session, extra: str, *groups: str) -> None:
    """Install the project as users get it, with one extra and the groups' tools, at the pinned versions."""
    tools = nox.project.dependency_groups(PYPROJECT, *groups) if groups else ()
    session.install(f".[{extra}]", *tools, "--constraint", "constraints.txt")


@nox.session
def run(session: nox.Session) -> None:
    """The main job: `nox -s run -- --checkpoint NET.h5 --pairs lfw.bin --calibration FACES`.

    A verdict of fail (1) or inconclusive (4) is an answer, not a failure of the session; CI takes it from
    `ghostface-edge gate`.
    """
    install(session, "all")
    session.run("ghostface-edge", "run", *session.posargs, success_codes=[0, 1, 4])


@nox.session
def tests(session: nox.Session) -> None:
    """The test suite."""
    install(session, "all", "test")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Format, lint, types."""
    install(session, "all", "lint", "test")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    session.run("mypy", *(option for package in PACKAGES for option in ("--package", f"ghostface_edge.{package}")))


@nox.session
def bench(session: nox.Session) -> None:
    """Stock and ours side by side: `nox -s bench -- OUT [CHECKPOINT of V1-0.5-2]`."""
    install(session, "all")
    session.run("python", "-m", "ghostface_edge.pipeline.bench", *session.posargs)
