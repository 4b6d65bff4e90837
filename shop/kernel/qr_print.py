"""QR codes to print: of a size, with a mark in the middle and a line below, as SVG and PNG.

A mark hides modules, so such a code has the highest error correction (a third may be damaged) and
the mark stays well below that. Its size is that of the whole picture's width, quiet zone included.
"""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import segno

from shop.kernel.qr import QUIET_ZONE

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

MM_PER_INCH = 25.4
MARK_SHARE = 0.22
"""Side of the mark, with its white margin, as a share of the code's."""
LINE_SHARE = 0.13
"""Height of the line below as a share of the picture's width."""
MOST_PIXELS = 5_000
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/STHeiti Medium.ttc",
)
"""Where systems keep a font with Chinese; any will do."""


class NoFont(Exception):
    """This system has no font for the line; an SVG needs none, the reader's is used."""


class TooManyPixels(Exception):
    """The size times the resolution is more than a picture may have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """How a code is printed.

    The mark is ours (回, a square in a square) or the PNG file given.
    """

    size_mm: float = 40
    dpi: int = 300
    has_mark: bool = False
    mark_file: str = ""
    caption: str = ""

    @property
    def pixels(self) -> int:
        """Return the width of a PNG."""
        return round(self.size_mm / MM_PER_INCH * self.dpi)


def draw(text: str, *, kind: str, style: Style) -> bytes:
    """Return the code as an `svg` or `png` file.

    Raises:
        NoFont: a PNG's line has signs for which this system has no font.
        TooManyPixels
    """
    symbol = segno.make(text, error="h" if style.has_mark else "q", micro=False, boost_error=False)
    rows = [bytes(row) for row in symbol.matrix]
    if kind == "svg":
        return _svg(rows, style).encode()
    if style.pixels > MOST_PIXELS:
        raise TooManyPixels
    return _png(rows, style)


def _runs(rows: list[bytes]) -> Iterator[tuple[int, int, int]]:
    """Yield the dark stretches of each row: row, first column, length."""
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            length = 0
            while x + length < len(row) and row[x + length]:
                length += 1
            if length:
                yield y, x, length
            x += length or 1


# --- SVG -----------------------------------------------------------------------------------------


def _svg(rows: list[bytes], style: Style) -> str:
    side = len(rows) + 2 * QUIET_ZONE
    line = side * LINE_SHARE if style.caption else 0.0
    height_mm = style.size_mm * (side + line) / side
    dark = "".join(f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h{n}v1h-{n}z" for y, x, n in _runs(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{style.size_mm:g}mm"'
        f' height="{height_mm:.2f}mm" viewBox="0 0 {side} {side + line:g}">'
        f'<path fill="#fff" d="M0 0h{side}v{side + line:g}H0z"/>'
        f'<path shape-rendering="crispEdges" d="{dark}"/>'
        f"{_svg_mark(side, len(rows), style)}{_svg_line(side, line, style)}</svg>"
    )


def _svg_mark(side: int, modules: int, style: Style) -> str:
    if not style.has_mark:
        return ""
    width = modules * MARK_SHARE
    at = (side - width) / 2
    plate = f'<rect x="{at:g}" y="{at:g}" width="{width:g}" height="{width:g}" fill="#fff"/>'
    inner, rim = width * 0.8, width * 0.1
    if style.mark_file:
        data = base64.b64encode(_mark_file(style.mark_file)).decode()
        return (
            f'{plate}<image x="{at + rim:g}" y="{at + rim:g}" width="{inner:g}" height="{inner:g}"'
            f' href="data:image/png;base64,{data}"/>'
        )
    squares = "".join(
        f"M{at + width * low:g} {at + width * low:g}h{width * span:g}v{width * span:g}"
        f"h-{width * span:g}z"
        for low, span in _SQUARES
    )
    return f'{plate}<path fill="{_COLOUR}" fill-rule="evenodd" d="{squares}"/>'


def _svg_line(side: int, line: float, style: Style) -> str:
    if not style.caption:
        return ""
    size = min(line * 0.6, (side - 2) / _ems(style.caption))
    return (
        f'<text x="{side / 2:g}" y="{side + line * 0.45:g}" text-anchor="middle"'
        f' font-size="{size:.3f}" font-family="system-ui, PingFang SC, Noto Sans CJK SC,'
        f' Microsoft YaHei, sans-serif">{escape(style.caption)}</text>'
    )


def _ems(text: str) -> float:
    """Return about how wide a text is: Chinese signs are square, others a bit over half of that."""
    return sum(1.0 if ord(sign) > 0x2E7F else 0.6 for sign in text)


# --- PNG -----------------------------------------------------------------------------------------


def _png(rows: list[bytes], style: Style) -> bytes:
    from PIL import Image, ImageDraw  # only who prints needs it in memory

    width = style.pixels
    side = len(rows) + 2 * QUIET_ZONE
    scale = max(floor(width / side), 1)
    width = max(width, scale * side)
    line = round(width * LINE_SHARE) if style.caption else 0
    picture = Image.new("RGB", (width, width + line), "#fff")
    pen = ImageDraw.Draw(picture)
    left = (width - scale * len(rows)) // 2
    for y, x, length in _runs(rows):
        top = left + y * scale
        pen.rectangle(
            (left + x * scale, top, left + (x + length) * scale - 1, top + scale - 1), fill="#000"
        )
    if style.has_mark:
        _paint_mark(picture, pen, left=left, code_width=scale * len(rows), style=style)
    if style.caption:
        _paint_line(pen, width=width, line=line, text=style.caption)
    out = io.BytesIO()
    colours = 16 if style.mark_file == "" else 256
    picture.quantize(colours).save(out, "PNG", dpi=(style.dpi, style.dpi), optimize=True)
    return out.getvalue()


def _paint_mark(
    picture: "Image", pen: "ImageDraw", *, left: int, code_width: int, style: Style
) -> None:
    from PIL import Image

    width = round(code_width * MARK_SHARE)
    at = left + (code_width - width) // 2
    pen.rectangle((at, at, at + width - 1, at + width - 1), fill="#fff")
    if style.mark_file:
        inner = round(width * 0.8)
        with Image.open(io.BytesIO(_mark_file(style.mark_file))) as file:
            mark = file.convert("RGBA").resize((inner, inner))
        picture.paste(mark, (at + (width - inner) // 2,) * 2, mark)
        return
    for number, (low, span) in enumerate(_SQUARES):
        start, end = at + round(width * low), at + round(width * (low + span)) - 1
        pen.rectangle((start, start, end, end), fill="#fff" if number % 2 else _COLOUR)


def _paint_line(pen: "ImageDraw", *, width: int, line: int, text: str) -> None:
    size = max(floor(min(line * 0.6, width * 0.94 / _ems(text))), 6)
    pen.text(
        (width / 2, width + line * 0.4), text, fill="#000", anchor="mm", font=_font(text, size)
    )


def _font(text: str, size: int) -> Any:
    from PIL import ImageFont

    for name in FONTS:
        if Path(name).exists():
            return ImageFont.truetype(name, size)
    if not text.isascii():
        raise NoFont
    return ImageFont.load_default(size)


# --- the mark ------------------------------------------------------------------------------------

_COLOUR = "#2f7d5b"
_SQUARES = ((0.08, 0.84), (0.22, 0.56), (0.36, 0.28))
"""回: a square in a square, each as its first corner and its side, in shares of the mark's."""


@cache
def _mark_file(name: str) -> bytes:
    return Path(name).read_bytes()
