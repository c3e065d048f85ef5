"""How text is made to fit."""

from __future__ import annotations

import pytest

from tokviz.draw.typesetting import MOST_SET, Typesetter, typesetter_for


@pytest.mark.parametrize("middle", [False, True])
def test_as_much_is_kept_as_fits_and_little_is_measured(middle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    setter, measured = typesetter_for(()), list[str]()
    whole = Typesetter.width

    def width(self: Typesetter, text: str, size: float, bold: bool = False) -> float:
        measured.append(text)
        return whole(self, text, size, bold)

    monkeypatch.setattr(Typesetter, "width", width)
    for text in ("internationalization " * 3, "x" * 5_000):
        measured.clear()
        found = setter.shortened(text, 100, 14, middle=middle)
        assert len(measured) < 12
        assert max(map(len, measured)) <= MOST_SET + 1
        kept = len(found) - 1
        longer = text[: kept + 1] + "…" if not middle else None
        assert whole(setter, found, 14) <= 100
        assert longer is None or whole(setter, longer, 14) > 100


def test_what_fits_is_left_as_it_is() -> None:
    assert typesetter_for(()).shortened("red", 100, 14) == "red"
    assert typesetter_for(()).shortened("red", 1, 14) == "…"
