"""A Chromium that works here: one that is installed, or playwright's own."""

import shutil
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Error, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def launch(playwright: Playwright) -> Browser:
    """Start the first browser that does start, without a window."""
    why = ""
    for choice in _choices():
        try:
            return playwright.chromium.launch(**choice)
        except Error as error:
            why = error.message.strip().partition("\n")[0]
    raise RuntimeError(f"no Chromium starts ({why}); make browser brings one")


def _choices() -> Iterator[dict[str, Any]]:
    for path in filter(None, map(shutil.which, NAMES)):
        yield {"executable_path": path}
    yield {"channel": "chrome"}  # Chrome where its installer puts it
    yield {}
