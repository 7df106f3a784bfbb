"""Pages as HTML: escaped, whole, in order."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from neuroemu.errors import OutputError
from neuroemu.report.html.parts import (
    Attachment,
    Attachments,
    Badge,
    Command,
    Facts,
    Headline,
    Mark,
    Page,
    Paragraph,
    Picture,
    Section,
    Table,
)
from neuroemu.report.html.render import render, write_page

EVIL = "<script>alert('x')</script>"


def page(text: str = "text") -> Page:
    cells = (text, Mark(look="bad", sign="✗", word=text, text=text), Badge(look="dead", word=text))
    parts = (
        Paragraph(text=text),
        Facts(rows=[(text, text)]),
        Table(caption=text, columns=(text,) * 3, rows=[cells], numbers=frozenset({1}), note=text),
        Picture(source="data:image/png;base64,", alt=text, caption=text),
        Command(text=text),
        Attachments(files=[Attachment(name=text, source="data:,", about=text)]),
    )
    return Page(
        title=text,
        about=text,
        headlines=[Headline(badge=Badge(look="inconclusive", word=text), sentence=text)],
        sections=[Section(title=text, parts=parts, badge=Badge(look="shifted", word=text))],
    )


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def elements(text: str) -> Elements:
    parser = Elements()
    parser.feed(text)
    return parser


def test_what_users_named_is_never_markup() -> None:
    text = render(page(EVIL))
    assert EVIL not in text
    assert not elements(text).named("script")
    assert text.count("&lt;script&gt;") >= 15


def test_nothing_outside_the_page_is_named() -> None:
    found = elements(render(page()))
    links = [a for _, attributes in found.found for a in ("src", "href") if a in attributes]
    assert len(links) >= 4
    for _, attributes in found.found:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
    assert not re.search(r"@import|url\(", render(page()))


def test_the_page_is_semantic() -> None:
    found = elements(render(page()))
    assert found.named("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in found.named(
        "meta"
    )
    assert [t for t, _ in found.found if re.fullmatch("h[1-6]", t)] == ["h1", "h2"]
    assert [a["scope"] for a in found.named("th")] == ["col", "col", "col", "row"]
    assert len(found.named("caption")) == len(found.named("table")) == 1
    assert found.named("img") == [{"src": "data:image/png;base64,", "alt": "text"}]
    assert found.named("figcaption")
    ids = [a["id"] for _, a in found.found if "id" in a]
    assert len(ids) == len(set(ids))


def test_each_verdict_has_a_shape_of_its_own() -> None:
    shapes = set()
    for look in ("survives", "shifted", "dead", "inconclusive"):
        shown = Page(
            title="",
            about="",
            headlines=[Headline(badge=Badge(look=look, word=look), sentence="")],
            sections=[],
        )
        shapes.add(re.search(r"<svg.*?</svg>", render(shown), re.DOTALL)[0])  # type: ignore[index]
    assert len(shapes) == 4


def test_a_file_is_written_whole_and_the_same_each_time(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    assert write_page(page(), path) == path
    first = path.read_bytes()
    write_page(page(), path)
    assert path.read_bytes() == first
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match=r"--out = .*report\.html: .*choose another file"):
        write_page(page(), tmp_path / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
