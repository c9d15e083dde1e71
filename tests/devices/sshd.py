"""An SSH server on the loopback interface, as any user, with keys and a port of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

HOST = "board"
"""What its `ssh` calls the server."""
_SERVER = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_CLIENT = shutil.which("ssh")
_START_S = 20


class CannotServeError(Exception):
    """Why there is no server here."""


@dataclass(frozen=True, slots=True)
class SshServer:
    """A server that runs, and the folder whose `ssh` reaches it.

    Args:
        process: the server.
        programs: goes to the front of PATH; its `ssh` is the system's with a configuration of its own, since that one
            reads none but the user's.
        folder: with keys, configuration and log.
    """

    process: psutil.Process
    programs: Path
    folder: Path

    def kill_connections(self) -> int:
        """End every connection as a pulled cable does, for both sides; returns how many there were."""
        connections = self.process.children()
        for connection in connections:
            for process in (*connection.children(), connection):  # one may run as the user, beside one that does not
                if process.name() == connection.name():
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
        return len(connections)

    def change_host_key(self) -> None:
        """Let the client know another key than the server's."""
        _make_key(self.folder / "other")
        self._know(self.folder / "other.pub")

    def _know(self, key: Path) -> None:
        kind, code, *_ = key.read_text().split()
        (self.folder / "known_hosts").write_text(f"{HOST} {kind} {code}\n")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[SshServer]:
    """A server until the context ends.

    Raises:
        CannotServeError: it is not installed, or does not start.
    """
    if _SERVER is None or _CLIENT is None:
        raise CannotServeError("openssh-server is not installed")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it leaves its privileges, which others than root have none of
    for name in ("host", "user"):
        _make_key(folder / name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "server").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPasswordAuthentication no\n"
    )
    (folder / "client").write_text(
        f"Host {HOST}\n HostName 127.0.0.1\n Port {port}\n HostKeyAlias {HOST}\n IdentityFile {folder}/user\n"
        f" IdentitiesOnly yes\n UserKnownHostsFile {folder}/known_hosts\n StrictHostKeyChecking yes\n"
    )
    programs = folder / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(f'#!/bin/sh\nexec {_CLIENT} -F {folder}/client "$@"\n')
    (programs / "ssh").chmod(0o755)
    command = [_SERVER, "-D", "-e", "-f", str(folder / "server")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
    try:
        server = SshServer(psutil.Process(process.pid), programs, folder)
        server._know(folder / "host.pub")
        _wait_until_it_answers(process, programs, folder)
        yield server
    finally:
        server.kill_connections()
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], programs: Path, folder: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        done = subprocess.run([programs / "ssh", "-o", "BatchMode=yes", HOST, "true"], capture_output=True, check=False)
        if done.returncode == 0:
            return
    raise CannotServeError(f"sshd does not serve here: {(folder / 'log').read_text()[-300:]}")


def _make_key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def devices_file(folder: Path, **more: str) -> str:
    """A devices.yaml that names the server as `board`, with this Python there."""
    entry = {"at": f"ssh:{HOST}", "python": sys.executable, "folder": str(folder / "there"), **more}
    return f"{HOST}:\n" + "".join(f"  {key}: {value}\n" for key, value in entry.items())
