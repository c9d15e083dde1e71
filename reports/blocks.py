"""Parts of a section, alike for every renderer: what is said, not how a page, a comment or a terminal writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar, TypeAlias

from markupsafe import Markup


class Reach(IntEnum):
    """Where a block is shown: there, and wherever there is more room."""

    PAGE = 0
    COMMENT = 1
    """In Markdown too."""
    TERMINAL = 2
    """Everywhere."""


class Tone(StrEnum):
    """What a word or a figure means to its reader, which renderers colour or mark."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    SKIPPED = "skipped"
    CAREFUL = "careful"
    BETTER = "better"
    WORSE = "worse"
    GAIN = "heat-1"
    NOTHING = "heat0"
    LOSS_1 = "heat1"
    LOSS_2 = "heat2"
    LOSS_3 = "heat3"
    LOSS_4 = "heat4"
    LOSS_5 = "heat5"


class Style(StrEnum):
    """How a stretch of text is set: HTML's name of it."""

    PLAIN = "span"
    STRONG = "b"
    EMPHASIS = "i"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text set apart."""

    text: str
    style: Style = Style.CODE
    to: str = ""
    """Where a page links it to: a section by its anchor, a file beside the page."""


Words: TypeAlias = str | Span | tuple[str | Span, ...]


def spans(words: Words) -> tuple[str | Span, ...]:
    """Stretches of text in their order."""
    return words if isinstance(words, tuple) else (words,)


def plain(words: Words) -> str:
    """Text alone."""
    return "".join(span.text if isinstance(span, Span) else span for span in spans(words))


class Align(StrEnum):
    """Where a column's text stands."""

    LEFT = "left"
    RIGHT = "right"
    WIDE = "wide"
    """Left, and broken into lines."""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    name: str
    align: Align = Align.LEFT
    spare: int = 0
    """On a narrow terminal the columns with the highest leave first; one with 0 stays."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure or a name in a table."""

    text: Words
    tone: Tone | None = None
    sort: float | str | None = None
    """What to sort by where the text's first word does not tell."""
    hover: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    cells: Sequence[Cell | str]
    muted: str = ""
    """Why it stands back behind the others, if it does."""


class Layout(StrEnum):
    """What kind of table it is."""

    FIGURES = "figures"
    HEAT = "heat"
    SQUARE = "heat square"
    """Rows and columns of the same names."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with names, the first of them the rows' names; a column that is only named holds figures."""

    columns: Sequence[Column | str]
    rows: Sequence[Row | Sequence[Cell | str]]
    layout: Layout = Layout.FIGURES
    filter: str = ""
    """Example of words that a reader may look for; empty, and there is nothing to filter."""
    reach: Reach = Reach.PAGE
    kind: ClassVar = "table"

    @property
    def heads(self) -> list[Column]:
        """Columns, each with its alignment."""
        return [column if isinstance(column, Column) else Column(column, Align.RIGHT) for column in self.columns]

    @property
    def lines(self) -> list[tuple[list[Cell], str]]:
        """Rows, each with why it stands back."""
        rows = [row if isinstance(row, Row) else Row(row) for row in self.rows]
        return [([cell if isinstance(cell, Cell) else Cell(cell) for cell in row.cells], row.muted) for row in rows]


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: Words
    soft: bool = False
    """Whether it only explains what is beside it."""
    reach: Reach = Reach.PAGE
    kind: ClassVar = "note"


@dataclass(frozen=True, slots=True)
class Bullet:
    """One item of a list, under a mark where it has a tone."""

    text: Words
    tone: Tone | None = None
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: Sequence[Bullet]
    reach: Reach = Reach.PAGE
    kind: ClassVar = "bullets"


@dataclass(frozen=True, slots=True)
class Definitions:
    """Terms, each with what there is to say of it."""

    items: Sequence[tuple[str, Words]]
    reach: Reach = Reach.PAGE
    kind: ClassVar = "definitions"


@dataclass(frozen=True, slots=True)
class Heading:
    """A title within a section."""

    text: str
    aside: str = ""
    reach: Reach = Reach.PAGE
    kind: ClassVar = "heading"


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with its legend, and what belongs under it."""

    plot: Markup
    title: str = ""
    caption: str = ""
    legend: Sequence[tuple[Markup, str]] = ()
    """Samples of marks, with what they stand for."""
    blocks: Sequence["Block"] = ()
    reach: ClassVar = Reach.PAGE
    kind: ClassVar = "figure"


@dataclass(frozen=True, slots=True)
class Grid:
    """Blocks side by side."""

    blocks: Sequence["Block"]
    small: bool = False
    reach: ClassVar = Reach.PAGE
    kind: ClassVar = "grid"


@dataclass(frozen=True, slots=True)
class Folded:
    """Blocks that a reader opens."""

    summary: str
    blocks: Sequence["Block"]
    aside: str = ""
    opened: bool = False
    reach: ClassVar = Reach.PAGE
    kind: ClassVar = "folded"


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as a data URI."""

    uri: str
    alt: str
    reach: ClassVar = Reach.PAGE
    kind: ClassVar = "picture"


@dataclass(frozen=True, slots=True)
class Card:
    """A few small pictures of the section, with lines under them."""

    tone: Tone
    lines: Sequence[str]
    """The first after the tone's own word."""
    mark: str
    pictures: Sequence[tuple[str, str]] = ()
    """Names of the section's pictures, with what they show."""


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards side by side."""

    cards: Sequence[Card]
    reach: ClassVar = Reach.PAGE
    kind: ClassVar = "cards"


Block: TypeAlias = Table | Note | Bullets | Definitions | Heading | Figure | Grid | Folded | Picture | Cards
