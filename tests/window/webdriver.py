"""What these tests need of WebDriver (https://www.w3.org/TR/webdriver2/), on plain HTTP."""

import base64
import json
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Refused(Exception):
    """The driver's answer is an error."""


class Stale(Refused):
    """The page has drawn anew what was meant, and it is to be looked for again."""


class Page:
    """The page in a window that the driver has opened."""

    def __init__(self, driver, binary):
        self.driver = driver
        options = {"binary": str(binary), "args": []}
        capabilities = {"browserName": "wry", "webkitgtk:browserOptions": options}
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = f"/session/{answer['sessionId']}"

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.driver + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace")
            kind = Stale if '"stale element reference"' in words else Refused
            raise kind(f"{method} {path}: {words}") from None

    def run(self, script, *arguments):
        """Runs the body of a function in the page and returns what it returns."""
        body = {"script": script, "args": list(arguments)}
        return self._call("POST", f"{self.session}/execute/sync", body)

    def find(self, xpath):
        """The first element, or None."""
        body = {"using": "xpath", "value": xpath}
        for left in reversed(range(5)):
            try:
                found = self._call("POST", f"{self.session}/elements", body)
                return found[0][ELEMENT] if found else None
            except Stale:
                # Drawn anew while the driver gave names to what it had found.
                if not left:
                    raise

    def click(self, xpath, seconds=20):
        """Waits for an element and clicks it as a pointer would."""

        def click(element):
            # The driver itself brings it no further than under what lies over a list's end.
            self.run("arguments[0].scrollIntoViewIfNeeded(true)", {ELEMENT: element})
            self._call("POST", f"{self.session}/element/{element}/click", {})

        self.wait(f"{xpath} to click", lambda: self._act(xpath, click), seconds)

    def type(self, xpath, text):
        def type(element):
            self._call("POST", f"{self.session}/element/{element}/value", {"text": text})

        self.wait(f"{xpath} to type into", lambda: self._act(xpath, type), 20)

    def _act(self, xpath, act):
        """Whether it was done: not to an element that is not there, or is drawn anew just then."""
        element = self.find(xpath)
        if element is None:
            return False
        try:
            act(element)
        except Stale:
            return False
        return True

    def screenshot(self, path):
        png = base64.b64decode(self._call("GET", f"{self.session}/screenshot"))
        path.write_bytes(png)

    def wait(self, what, look, seconds):
        """What `look` returns as soon as it is something."""
        end = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                shown = self.run("return document.body.innerText")
                raise AssertionError(f"no {what} in {seconds} s; the page says:\n{shown}")
            time.sleep(0.1)

    def leave(self):
        self._call("DELETE", self.session)
