from __future__ import annotations

from pathlib import Path

from wavescribe.bench.curve import CurvePoint, draw_curve


def test_the_curve_names_every_level(tmp_path: Path) -> None:
    picture = tmp_path / "curve.svg"
    points = [CurvePoint("high", 1.8, 2.5, 0.3), CurvePoint("low", 1.1, 1.9, 1.2)]
    draw_curve(points, picture, "a title")
    text = picture.read_text()
    assert all(f"<!-- {word} -->" in text for word in ("high", "low", "a title"))
