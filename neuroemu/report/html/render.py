"""A page as HTML, and HTML as a file that is whole or not there."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from neuroemu import __version__
from neuroemu.errors import OutputError
from neuroemu.report.html.parts import Page


def render(page: Page) -> str:
    """Return a page as one HTML document that loads nothing.

    Examples
    --------
    >>> text = render(Page(title="1 < 2", about="", headlines=(), sections=()))
    >>> "<h1>1 &lt; 2</h1>" in text
    True
    """
    environment = Environment(
        loader=PackageLoader("neuroemu.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(page=page, version=__version__)


def write_page(page: Page, path: Path) -> Path:
    """Write a page to `path`, and make the folders above it.

    Raises
    ------
    OutputError
        If it cannot be written; no part of it stays.
    """
    text = render(page)
    aside = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_text(text, encoding="utf-8")
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"--out = {path}: the report must be writable there; {error.strerror or error}; "
            "choose another file"
        ) from None
    return path
