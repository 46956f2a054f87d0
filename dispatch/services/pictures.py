"""A picture from a phone, written again: upright, of bounded size, and with nothing in it but the picture."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from dispatch.domain.errors import InvalidInput
from dispatch.domain.photo import KEPT_EDGE_PX, THUMBNAIL_EDGE_PX, check_kind, check_pixels

# Formats whose size stands in the header, so that nothing is decoded to know it.
_FORMATS = ("JPEG", "PNG")
_QUALITY = 85
# A decoded picture takes up to 160 MB: so many at a time, however many arrive.
_decoding = threading.Semaphore(2)
# Pillow's own limit is a warning and lies elsewhere; ours is asked before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG of `width` x `height` px and a small one of it, neither with metadata."""

    width: int
    height: int
    jpeg: bytes
    thumbnail: bytes


def rewrite(data: bytes) -> Picture:
    """Return the picture in `data`, its long edge at most 2,048 px, turned as its EXIF says.

    Raises:
        InvalidInput: for HEIC, for what is no JPEG or PNG, for what is broken, and above 40 million pixels.
    """
    check_kind(data)
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            check_pixels(*image.size)
            with _decoding:
                return _rewritten(image)
    except InvalidInput:
        raise
    except Exception as error:  # what a broken file raises depends on where it is broken
        raise InvalidInput("这不是能打开的照片; 请重拍, 或发送 JPEG、PNG 图片", field="photo") from error


def _rewritten(image: Image.Image) -> Picture:
    image.draft("RGB", (KEPT_EDGE_PX, KEPT_EDGE_PX))
    image.thumbnail((KEPT_EDGE_PX, KEPT_EDGE_PX))
    upright = ImageOps.exif_transpose(image).convert("RGB")
    # Only pixels are taken over: position, serial numbers, comments and profiles stay behind.
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    jpeg = _jpeg(clean)
    clean.thumbnail((THUMBNAIL_EDGE_PX, THUMBNAIL_EDGE_PX))
    return Picture(*upright.size, jpeg, _jpeg(clean))


def _jpeg(image: Image.Image) -> bytes:
    written = BytesIO()
    image.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return written.getvalue()
