"""What phones send is bounded before it is decoded, turned upright, and stripped of all but the picture."""

from __future__ import annotations

import tracemalloc
from io import BytesIO

import pytest
from PIL import Image

from dispatch.domain.errors import InvalidInput
from dispatch.services.pictures import rewrite
from tests.support import pictures


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def test_a_large_photo_is_kept_smaller_and_upright() -> None:
    kept = rewrite(pictures.telling_jpeg(4000, 3000))
    assert (kept.width, kept.height) == (1536, 2048)
    assert opened(kept.jpeg).size == (1536, 2048)
    assert opened(kept.thumbnail).size == (240, 320)


def test_nothing_is_told_but_the_picture() -> None:
    sent = pictures.telling_jpeg(800, 600)
    assert opened(sent).getexif().get_ifd(pictures.GPS)
    kept = rewrite(sent)
    for data in (kept.jpeg, kept.thumbnail):
        image = opened(data)
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        for told in (b"Exif", "李娭毑".encode(), b"at home"):
            assert told not in data


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_small_picture_of_any_colours_is_kept_as_large_as_it_is(mode: str) -> None:
    kept = rewrite(pictures.png(64, 48, mode))
    assert (kept.width, kept.height, opened(kept.jpeg).mode) == (64, 48, "RGB")


def test_too_many_pixels_are_refused_without_decoding_them() -> None:
    huge = pictures.huge_png()
    assert len(huge) < 25_000
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="13000 x 13000 像素, 不能超过 40 百万像素"):
        rewrite(huge)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xd8\xff\xe0 not really",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        pictures.jpeg()[:700],
        pictures.png(64, 64)[:60],
    ],
)
def test_what_is_no_picture_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="这不是能打开的照片") as caught:
        rewrite(data)
    assert caught.value.field == "photo"


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heic_is_refused_with_how_to_do_it(brand: bytes) -> None:
    with pytest.raises(InvalidInput, match="兼容性最佳"):
        rewrite(b"\0\0\0\x18ftyp" + brand + b"\0" * 100)
