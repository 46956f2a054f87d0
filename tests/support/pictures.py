"""Pictures of the tests: drawn, not taken."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image

GPS, ORIENTATION, MODEL = 0x8825, 0x0112, 0x0110
SIDEWAYS = 6  # the camera was turned: the picture is to be shown a quarter turn clockwise


def jpeg(width: int = 640, height: int = 480, colour: str = "steelblue") -> bytes:
    """A plain JPEG."""
    written = BytesIO()
    Image.new("RGB", (width, height), colour).save(written, "JPEG")
    return written.getvalue()


def telling_jpeg(width: int, height: int) -> bytes:
    """A JPEG, taken sideways, that says where and with what it was taken."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MODEL] = SIDEWAYS, "Phone of 李娭毑"
    exif.get_ifd(GPS).update({1: "N", 2: (28.0, 11.0, 24.0), 3: "E", 4: (112.0, 58.0, 12.0)})
    written = BytesIO()
    Image.new("RGB", (width, height), "steelblue").save(written, "JPEG", exif=exif, comment=b"at home")
    return written.getvalue()


def png(width: int, height: int, mode: str = "RGBA") -> bytes:
    """A plain PNG."""
    written = BytesIO()
    Image.new(mode, (width, height)).save(written, "PNG")
    return written.getvalue()


def huge_png(edge: int = 13_000) -> bytes:
    """A picture of few bytes and very many pixels: black, one bit each, written without being held."""
    line = b"\0" * (1 + (edge + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join([*(packer.compress(line) for _ in range(edge)), packer.flush()])
    header = struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
