"""A headless Chromium, asked over a pipe: https://chromedevtools.github.io/devtools-protocol/."""

import base64
import fcntl
import functools
import json
import os
import select
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--remote-debugging-pipe")

PATIENCE_S = 60


def find_browser():
    return shutil.which("chromium") or shutil.which("google-chrome")


class Files(SimpleHTTPRequestHandler):
    """A file server that keeps a list of what it was asked for."""

    def log_message(self, form, *values):
        self.server.asked.append((self.path, values[1]))


@contextmanager
def serving(folder):
    """`http://…` of a folder's files, and what was asked for: (path, status)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Page:
    """One page of a browser."""

    def __init__(self, requests, answers):
        self._requests, self._answers, self._number, self._session = requests, answers, 0, {}
        self._came = b""
        self.said = []
        """What the page logged, threw or was refused."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        """Result of a method of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._requests, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _receive(self):
        while b"\0" not in self._came:
            ready, _, _ = select.select([self._answers], [], [], PATIENCE_S)
            assert ready, f"the browser said nothing for {PATIENCE_S} s; the page: {self.said}"
            part = os.read(self._answers, 1 << 16)
            assert part, "the browser has ended"
            self._came += part
        text, _, self._came = self._came.partition(b"\0")
        message = json.loads(text)
        if message.get("method") in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}:
            self.said.append(message["params"])
        return message

    def value(self, expression):
        """Of an expression in the page, or of what it promises."""
        found = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, address, until):
        """Open an address, and wait until an expression holds in it."""
        self.ask("Page.navigate", url=address)
        while self._receive().get("method") != "Page.loadEventFired":
            pass
        self.wait(until)

    def wait(self, until):
        """Until an expression holds."""
        self.value(
            f"new Promise(done => {{ const look = () => {until} ? done(true) : setTimeout(look, 20); look(); }})"
        )

    def give(self, selector, file):
        """Choose a file in an input."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def picture(self, width, height):
        """PNG bytes of what it shows in a window of this size."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        return base64.b64decode(self.ask("Page.captureScreenshot")["data"])


def above_the_browsers_own(end):
    """The same end of a pipe, not as number 3 or 4, which the browser has them as."""
    moved = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(end)
    return moved


@contextmanager
def browsing(profile):
    """A page of a browser with an empty profile."""
    (requests, mine), (theirs, answers) = (map(above_the_browsers_own, os.pipe()) for _ in range(2))
    process = subprocess.Popen(
        [
            *("bash", "-c", f'exec "$@" 3<&{requests} 4>&{answers}', "chromium"),
            *(find_browser(), *FLAGS, f"--user-data-dir={profile}", "about:blank"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(requests, answers),
    )
    for end in (requests, answers):
        os.close(end)
    try:
        yield Page(mine, theirs)
    finally:
        process.kill()
        process.wait()
        for end in (mine, theirs):
            os.close(end)
