"""QR codes as files, without an image library."""

import io

import segno

QUIET_ZONE = 4
"""Light modules around the code, which readers need to find it."""


def inline(text: str) -> str:
    """Return a QR code of `text` as SVG to stand in a page, which says how large it is."""
    symbol = segno.make(text, error="m", micro=False)
    drawing: str = symbol.svg_inline(omitsize=True, border=QUIET_ZONE)
    return drawing


def draw(text: str, *, kind: str, scale: int = 8) -> bytes:
    """Return a QR code of `text` as an `svg` or `png` file; a quarter of it may be damaged."""
    out = io.BytesIO()
    symbol = segno.make(text, error="q", micro=False)
    symbol.save(out, kind=kind, scale=scale, border=QUIET_ZONE)
    return out.getvalue()
