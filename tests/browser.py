# SPDX-License-Identifier: MIT
"""A headless Chromium for tests of pages, spoken to in the DevTools protocol over two pipes.

    with Browser() as browser:
        page = browser.open("build/picture.html")
        page.evaluate("document.title")
"""
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"
ANSWER_LIMIT = 60       # seconds

KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38,
        "ArrowRight": 39, "ArrowDown": 40}


def find():
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Failed(Exception):
    """The browser did not do what it was asked to."""


class Browser:
    """The process, and its messages. `complaints` and `requests` collect what its pages say and ask for."""

    def __init__(self):
        self.complaints, self.requests = [], []
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        # It reads commands from descriptor 3 and answers at 4; the shell puts our pipes there.
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "browser", find(), "--headless=new", "--no-sandbox", "--disable-gpu",
             "--hide-scrollbars", "--disable-dev-shm-usage", "--disable-background-networking",
             f"--user-data-dir={self._profile.name}", "--remote-debugging-pipe"],
            pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self._number, self._rest = 0, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Failed, OSError, subprocess.TimeoutExpired):
            self.command("Browser.close")
            self._process.wait(10)
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._profile.cleanup()

    def command(self, method, session=None, **parameters):
        """Send a command; its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_LIMIT
        while True:
            answer = self._message(deadline)
            if answer.get("id") != self._number:
                self._hear(answer)
            elif "error" in answer:
                raise Failed(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def _message(self, deadline):
        while b"\0" not in self._rest:
            if not select.select([self._in], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failed("the browser does not answer")
            data = os.read(self._in, 1 << 20)
            if not data:
                raise Failed("the browser has ended")
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _hear(self, event):
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description", details["text"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(" ".join(str(word.get("value", word)) for word in parameters["args"]))
            case "Log.entryAdded":
                self.complaints.append(parameters["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])

    def open(self, path, width=1280, height=900):
        """Load a file. The Page."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in "Page", "Runtime", "Log", "Network":
            page.command(f"{domain}.enable")
        page.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        page.command("Page.navigate", url="file://" + os.path.abspath(path))
        return page


class Page:
    def __init__(self, browser, session):
        self._browser, self._session = browser, session

    def command(self, method, **parameters):
        return self._browser.command(method, self._session, **parameters)

    def evaluate(self, expression):
        """The value of an expression of JavaScript; a promise is waited for."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failed(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait(self, condition, limit=30):
        """Until an expression is true. Whether it came to be."""
        deadline = time.monotonic() + limit
        while not self.evaluate(f"Boolean({condition})"):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def key(self, key, shift=False):
        """Press and release a key of KEYS."""
        for kind in "keyDown", "keyUp":
            typed = {" ": " ", "Enter": "\r"}.get(key) if kind == "keyDown" else None
            text = {"text": typed} if typed else {}
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code="Space" if key == " " else key,
                         windowsVirtualKeyCode=KEYS[key], modifiers=8 if shift else 0, **text)

    def click(self, x, y):
        for kind in "mousePressed", "mouseReleased":
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def point(self, x, y):
        self.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def prefer(self, scheme):
        """"light" or "dark", as the system would say."""
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
