"""What a photo of a ticket may be: which stage of the work it shows, how large it may come and is kept."""

from __future__ import annotations

from enum import StrEnum

from dispatch.domain.errors import InvalidInput


class Stage(StrEnum):
    """When in the work a photo was taken."""

    BEFORE = "before"
    AFTER = "after"


STAGE_LABELS = {Stage.BEFORE: "处置前", Stage.AFTER: "处置后"}

MAX_BYTES = 20_000_000
# A picture of 21 kB can say that it is 13,000 x 13,000 px, and would take 500 MB to decode.
MAX_PIXELS = 40_000_000
KEPT_EDGE_PX = 2048
THUMBNAIL_EDGE_PX = 320

# What iPhones write unless told otherwise: ISO media files of these brands.
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})


def check_kind(data: bytes) -> None:
    """Raise InvalidInput for a HEIC picture, with how to take another one."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise InvalidInput(
            "不支持 HEIC 照片; 请在手机“设置 > 相机 > 格式”中选“兼容性最佳”后重拍, 或发送 JPEG", field="photo"
        )


def check_pixels(width: int, height: int) -> None:
    """Raise InvalidInput where a picture of this size, in pixels, is too large to decode."""
    if width * height > MAX_PIXELS:
        raise InvalidInput(
            f"照片为 {width} x {height} 像素, 不能超过 {MAX_PIXELS // 1_000_000} 百万像素; 请降低相机分辨率后重拍",
            field="photo",
        )
