"""Files as ``data:`` URIs, so that a page needs nothing beside it."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from neuroemu.errors import OutputError
from neuroemu.report.html.parts import Attachment, Picture

DRAWN_WITH = "font-family: 'DejaVu Sans'"
SHOWN_WITH = f"{DRAWN_WITH}, Verdana, sans-serif"
"""The figures' font is not on every machine; Verdana is as wide."""


def data_uri(content: bytes, media_type: str) -> str:
    """Return a file's content as a URI.

    Examples
    --------
    >>> data_uri(b"name = 1", "text/plain")
    'data:text/plain;base64,bmFtZSA9IDE='
    """
    return f"data:{media_type};base64,{b64encode(content).decode()}"


def picture(folder: Path, name: str, *, alt: str, caption: str) -> Picture:
    """Return a figure of a folder: the SVG, or the PNG where there is none.

    Raises
    ------
    OutputError
        If there is neither, or it cannot be read.
    """
    drawing, image = folder / f"{name}.svg", folder / f"{name}.png"
    try:
        if drawing.is_file():
            text = drawing.read_text(encoding="utf-8").replace(DRAWN_WITH, SHOWN_WITH)
            source = data_uri(text.encode(), "image/svg+xml")
        else:
            source = data_uri(image.read_bytes(), "image/png")
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(
            f"{folder}: a report shows {name}.svg or {name}.png, and neither can be read "
            f"({getattr(error, 'strerror', None) or 'no text'}); run it again"
        ) from None
    return Picture(source=source, alt=alt, caption=caption)


def attachment(name: str, text: str, about: str) -> Attachment:
    """Return a text file for the reader to save."""
    source = data_uri(text.encode(), "text/plain;charset=utf-8")
    return Attachment(name=name, source=source, about=about)
