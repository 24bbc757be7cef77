"""Milliseconds from the start of the app's process to its window, which it shows with its page loaded.

For scripts/bench: prints one number per start. DAILIES_WINDOW_BUILD names the build measured. Without
WebDriver, whose own start-up is not the app's.
"""

import sys
import tempfile
import time
from pathlib import Path

from desktop import APP, Desktop


def start():
    with tempfile.TemporaryDirectory() as folder, Desktop("cold", Path(folder)) as desktop:
        desktop.env.pop("TAURI_WEBVIEW_AUTOMATION")
        began = time.monotonic()
        desktop.start([str(APP)])
        while not desktop.windows("Dailies"):
            assert time.monotonic() < began + 30, "no window after 30 s"
        passed = time.monotonic() - began
        time.sleep(0.5)
        desktop.quit_app()
        return passed * 1000


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        print(round(start()))
