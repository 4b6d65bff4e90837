"""Reading pictures of QR codes without an image library."""

import struct
import zlib

import zxingcpp

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PLAIN, UP = 0, 2
"""The filters of a row that our writer uses."""


def read_qr(png: bytes) -> str:
    """Return what the one QR code of a PNG file says."""
    (found,) = zxingcpp.read_barcodes(_pixels(png))
    return str(found.text)


def _pixels(png: bytes) -> memoryview:
    """Return the grey values of a PNG with one bit per pixel, by row and column."""
    assert png.startswith(SIGNATURE)
    width, height, depth = struct.unpack_from(">IIB", png, len(SIGNATURE) + 8)
    assert depth == 1
    rows = zlib.decompress(b"".join(data for kind, data in _chunks(png) if kind == b"IDAT"))
    stride = (width + 7) // 8 + 1  # the first byte of a row names its filter
    grey = bytearray()
    above = bytes(stride - 1)
    for start in range(0, height * stride, stride):
        line = rows[start + 1 : start + stride]
        if rows[start] == UP:
            line = bytes((a + b) % 256 for a, b in zip(line, above, strict=True))
        else:
            assert rows[start] == PLAIN
        grey += bytes(255 * (line[x // 8] >> (7 - x % 8) & 1) for x in range(width))
        above = line
    return memoryview(grey).cast("B", (height, width))


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    chunks = []
    at = len(SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        chunks.append((kind, png[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks
