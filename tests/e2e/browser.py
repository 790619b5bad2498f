"""Chromium without a window, driven through its DevTools pipe: only Python's standard library.
ESPALIER_CHROMIUM names the program, where it is not called chromium."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find():
    for name in (os.environ.get("ESPALIER_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"):
        path = name and shutil.which(name)
        if path:
            return path
    return None


class Browser:
    """One page. `errors` collects exceptions, console errors and requests for anything but the page itself."""

    def __init__(self, program):
        self.profile = tempfile.mkdtemp(prefix="espalier-browser-")
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()

        def wire():  # the pipe's descriptors are 3 and 4, by definition
            a, b = os.dup(to_browser), os.dup(from_browser)
            os.dup2(a, 3)
            os.dup2(b, 4)

        arguments = [program, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
                     "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
                     f"--user-data-dir={self.profile}", "about:blank"]
        self.process = subprocess.Popen(arguments, preexec_fn=wire, close_fds=False, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.last, self.errors, self.session, self.loads = b"", 0, [], None, 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Performance.enable", timeDomain="threadTicks")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.read_end)
        os.close(self.write_end)
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.read_end], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.read_end, 1 << 16)
            if not more:
                raise EOFError("the browser has ended")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def see(self, m):
        kind, p = m.get("method"), m.get("params", {})
        if kind == "Runtime.exceptionThrown":
            d = p["exceptionDetails"]
            self.errors.append(d.get("exception", {}).get("description") or d["text"])
        elif kind == "Runtime.consoleAPICalled" and p["type"] in ("error", "assert", "warning"):
            self.errors.append("console: " + str([a.get("value") for a in p["args"]]))
        elif kind == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
            self.errors.append("log: " + p["entry"]["text"])
        elif kind == "Network.requestWillBeSent" and not p["request"]["url"].startswith(("file:", "data:", "about:")):
            self.errors.append("request: " + p["request"]["url"])
        elif kind == "Page.loadEventFired":
            self.loads += 1

    def call(self, method, timeout=60, **params):
        self.last += 1
        ask = {"id": self.last, "method": method, "params": params}
        if self.session:
            ask["sessionId"] = self.session
        os.write(self.write_end, json.dumps(ask).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            m = self.message(deadline)
            if m.get("id") == self.last:
                if "error" in m:
                    raise RuntimeError(f"{method}: {m['error']}")
                return m["result"]
            self.see(m)

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def js(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(r["exceptionDetails"].get("exception", {}).get("description", r["exceptionDetails"]["text"]))
        return r["result"].get("value")

    def until(self, expression, timeout=30):
        """Polls until the expression is true; returns its value."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            value = self.js(expression)
            if value:
                return value
            time.sleep(0.05)
        raise TimeoutError(expression)

    def open(self, url):
        """A new document, whole: Page.navigate may answer while the old one is still there to be asked."""
        before, deadline = self.loads, time.monotonic() + 60
        self.call("Page.navigate", url=url)
        while self.loads == before:
            self.see(self.message(deadline))
        self.until("document.readyState == 'complete' && !!document.documentElement.dataset.ready")

    def busy(self):
        """Seconds of processor that the document's tasks have taken: what else the machine does is not in it."""
        return next(m["value"] for m in self.call("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration")

    def settle(self):
        """Two frames: what came into sight has been drawn."""
        self.js("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 60))))")

    def key(self, name):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def shot(self, path, full=True):
        clip = {}
        if full:
            s = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": s["width"], "height": min(s["height"], 2400), "scale": 1}, "captureBeyondViewport": True}
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png", **clip)["data"]))
