"""What a page is made of: plain data, which ``templates/`` turns into HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A verdict as a shape, a colour and a word.

    Parameters
    ----------
    look : str
        ``survives``, ``shifted``, ``dead`` or ``inconclusive``: shape and colour.
    word : str
        What is written.
    """

    look: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A judgement in a table: a sign and a word, coloured.

    Parameters
    ----------
    look : str
        ``good``, ``bad`` or ``open``.
    sign, word : str
        The word may be empty where the table's note explains the sign.
    text : str
        In front of the sign, uncoloured.
    """

    look: str
    sign: str
    word: str = ""
    text: str = ""


Cell = str | Mark | Badge


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What comes first: a verdict and its reason."""

    badge: Badge
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Names, and what is so."""

    kind: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a head of columns; the first cell of each row is its head.

    Parameters
    ----------
    columns : sequence of str
    numbers : frozenset of int
        Columns that hold numbers.
    note : str
        Below the table.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure, held in the page itself.

    Parameters
    ----------
    source : str
        A ``data:`` URI.
    alt : str
        What it shows, for those who do not see it.
    caption : str
    """

    kind: ClassVar[str] = "picture"
    source: str
    alt: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to type."""

    kind: ClassVar[str] = "command"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that the page carries; `source` is a ``data:`` URI."""

    name: str
    source: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """Files to save from the page."""

    kind: ClassVar[str] = "attachments"
    files: Sequence[Attachment]


Part = Paragraph | Facts | Table | Picture | Command | Attachments


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with parts below it; the heading of a single target has its verdict beside it."""

    title: str
    parts: Sequence[Part]
    badge: Badge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report.

    Parameters
    ----------
    title, about : str
        What was run; the second line says on what and how often.
    headlines : sequence of Headline
        The verdict, or one for each verdict that there is.
    sections : sequence of Section
    """

    title: str
    about: str
    headlines: Sequence[Headline]
    sections: Sequence[Section]
