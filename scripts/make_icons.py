"""Draw the icons of the crew's application as PNG, as common/icon.svg has them: `python scripts/make_icons.py`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parents[1] / "dispatch" / "web" / "static" / "crew"
BLUE, WHITE = "#0B4F8A", "#FFFFFF"
UNITS = 64  # of the drawing
FINE = 8  # drawn so many times larger, then made smooth

Point = tuple[float, float]


def curve(start: Point, first: Point, second: Point, end: Point) -> list[Point]:
    """Return points of a cubic Bézier."""
    points = []
    for step in range(65):
        t = step / 64
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        corners = (start, first, second, end)
        points.append(
            (
                sum(w * p[0] for w, p in zip(weights, corners, strict=True)),
                sum(w * p[1] for w, p in zip(weights, corners, strict=True)),
            )
        )
    return points


def icon(edge_px: int) -> Image.Image:
    """Return the icon: a white drop on blue that fills the square, so that any mask may cut it."""
    scale = edge_px * FINE / UNITS
    image = Image.new("RGB", (edge_px * FINE, edge_px * FINE), BLUE)
    draw = ImageDraw.Draw(image)
    right = curve((32, 10), (41, 22), (48, 30), (48, 39))
    left = curve((16, 39), (16, 30), (23, 22), (32, 10))
    draw.polygon([(x * scale, y * scale) for x, y in right + left], fill=WHITE)
    draw.pieslice([16 * scale, 23 * scale, 48 * scale, 55 * scale], 0, 180, fill=WHITE)
    draw.arc([21 * scale, 29 * scale, 43 * scale, 51 * scale], -20, 90, fill=BLUE, width=round(4 * scale))
    return image.resize((edge_px, edge_px), Image.Resampling.LANCZOS)


def main() -> None:
    """Write both sizes that browsers ask for."""
    for edge_px in (192, 512):
        icon(edge_px).save(FOLDER / f"icon-{edge_px}.png", optimize=True)


if __name__ == "__main__":
    main()
