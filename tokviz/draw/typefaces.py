"""Fonts for what the bundled ones lack, found on this machine: the same ones each time, for pictures that need them.

The fonts that come with tokviz and Matplotlib have Latin, Greek, Cyrillic, Hebrew and Arabic. Other characters
(Chinese, Hindi, emoji, …) are drawn with installed fonts; one that no font has is written as its code point, since an
empty box would say nothing.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from tokviz.draw.coverage import Coverage
from tokviz.draw.faces import Face
from tokviz.errors import TokvizError
from tokviz.records import Animation, Card, Font, Grid, HeatMap, Picture, Plate, Points, Strip
from tokviz.text import code_points, is_without_picture

_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}
_PREFERRED = (
    "NotoSans", "NotoEmoji", "NotoNaskhArabic", "NotoSerif", "Noto",
    "SourceHanSans", "IBMPlexSans", "msyh", "YuGoth", "malgun", "Nirmala", "LeelawUI", "segoeui", "seguisym",
    "PingFang", "Hiragino", "AppleSDGothicNeo", "Kohinoor", "Thonburi", "Arial Unicode",
    "wqy", "DroidSansFallback", "Lohit", "Symbola", "FreeSans",
)  # fmt: skip
"""How file names of fonts begin, the best first: Noto, then what systems bring; all others come after, by name."""
_STYLED = re.compile(
    r"Bold|Italic|Oblique|Thin|Light|Medium|Black|Heavy|Condensed|Mono|Nastaliq|Rashi|-VF|Display|bd$", re.IGNORECASE
)
"""Faces that stand out beside the plain ones; taken where there is no other."""
MOST_ADVISED = 4
"""More fonts than these aren't named at once."""
_IDEOGRAPHS = re.compile(r"CJK|HIRAGANA|KATAKANA|HANGUL|BOPOMOFO|KANGXI|FULLWIDTH|HALFWIDTH|IDEOGRAPHIC")


class Typefaces:
    """The fonts of this machine; installed ones are only looked at for what the author's and the bundled ones lack."""

    def __init__(self, coverage: Coverage, folders: Iterable[Path] | None = None, *, own: Path | None = None) -> None:
        """Read the author's font; others are read when they are needed.

        Parameters
        ----------
        folders : of installed fonts, by default where this machine keeps them.
        own : the author's font, which comes before all others.

        Raises
        ------
        TokvizError : it can't be drawn.
        """
        self._coverage = coverage
        self._folders = font_folders() if folders is None else list(folders)
        self._own = () if own is None else (self._drawable(own),)
        self._beyond_bundled: dict[tuple[str, ...], frozenset[int]] = {}
        self._chosen: dict[frozenset[int], tuple[tuple[Font, ...], frozenset[int]]] = {}
        self._legible_points: dict[tuple[Points, frozenset[int]], Points] = {}

    def with_fonts(self, picture: Picture) -> Picture:
        """The picture with the fonts that it needs, and code points for what no font has; itself when it needs none."""
        if isinstance(picture, Strip):
            return picture
        points = picture.points
        needed = self.missing_from_bundled((picture.model, picture.context, *points.categories))
        if isinstance(picture, Plate) and picture.labelled:
            needed |= self.missing_from_bundled(points.words)
        if not needed and not self._own:
            return picture
        fonts, missing = self._fonts_for(needed)
        return _written(picture, fonts, missing, self._legible(points, missing))

    def with_fonts_for_card(self, card: Card) -> Card:
        """The same for a card."""
        needed = self.missing_from_bundled(card.texts)
        if not needed and not self._own:
            return card
        fonts, missing = self._fonts_for(needed)
        texts = {name: legible(getattr(card, name), missing) for name in ("headline", "about", "source", "address")}
        evidence, how = (tuple(legible(each, missing) for each in said) for said in (card.evidence, card.how))
        panels = tuple(
            replace(each, detail=legible(each.detail, missing), points=self._legible(each.points, missing))
            for each in card.panels
        )
        return replace(card, fonts=fonts, evidence=evidence, how=how, panels=panels, **texts)

    def with_fonts_for_animation(self, animation: Animation) -> Animation:
        """The same for an animation, whose plots are drawn already."""
        fonts, missing = self._fonts_for(
            self.missing_from_bundled((animation.headline, animation.source, animation.address))
        )
        return replace(
            animation,
            fonts=fonts,
            headline=legible(animation.headline, missing),
            source=legible(animation.source, missing),
            address=legible(animation.address, missing),
        )

    def missing(self, texts: Iterable[str]) -> frozenset[int]:
        """The codes of the characters that no font of this machine has."""
        return self.choose(self.missing_from_bundled(tuple(texts)))[1]

    def missing_from_bundled(self, texts: tuple[str, ...]) -> frozenset[int]:
        """The codes of the characters that the bundled fonts lack, but for those that aren't drawn at all."""
        if texts not in self._beyond_bundled:
            codes = _drawn_codes(texts)
            unseen = _without_picture(codes)
            for face in (*self._own, *self._bundled):
                codes -= face.has(codes)
            self._beyond_bundled[texts] = frozenset(codes | unseen)
        return self._beyond_bundled[texts]

    def choose(self, codes: frozenset[int]) -> tuple[tuple[Font, ...], frozenset[int]]:
        """Fonts that together have as many of ``codes`` as can be, and the codes that remain.

        Among equally preferred fonts the one that has most of what is still needed comes first, so that a word is
        drawn in as few fonts as possible.
        """
        if codes not in self._chosen:
            self._chosen[codes] = self._choose(codes) if codes else ((), frozenset())
        return self._chosen[codes]

    def _fonts_for(self, codes: frozenset[int]) -> tuple[tuple[Font, ...], frozenset[int]]:
        """The author's font, then those of ``choose``; and the codes that none has."""
        fonts, missing = self.choose(codes)
        own = (Font(path=str(face.path), index=0, digest=face.digest, comes_first=True) for face in self._own)
        return (*own, *fonts), missing

    def keep_coverage(self) -> None:
        """Write down which characters the fonts have that were looked at, for the next run."""
        self._coverage.keep()

    def _choose(self, codes: frozenset[int]) -> tuple[tuple[Font, ...], frozenset[int]]:
        fonts: list[Font] = []
        unseen = _without_picture(codes)
        remaining = set(codes - unseen)
        for faces in self._installed():
            covered = [(face, face.has(remaining)) for face in faces]
            while covered and remaining:
                best, has = max(
                    covered, key=lambda candidate: (len(candidate[1] & remaining), -_regional(candidate[0], codes))
                )
                if not has & remaining:
                    break
                fonts.append(Font(path=str(best.path), index=best.index, digest=best.digest))
                remaining -= has
            if not remaining:
                break
        return tuple(fonts), frozenset(remaining | unseen)

    def _installed(self) -> Iterator[list[Face]]:
        """The faces of equally preferred fonts, the best first; files are read when it is their turn."""
        plain, styled = self._files
        varying: dict[int, list[Face]] = {}
        for rank in sorted(plain):
            faces = self._faces(plain[rank])
            varying[rank] = [face for face in faces if face.varies]
            yield [face for face in faces if not face.varies]
        for rank in sorted(styled.keys() | varying.keys()):
            yield sorted([*varying.get(rank, []), *self._faces(styled.get(rank, []))], key=_by_name)

    def _faces(self, files: Iterable[Path]) -> list[Face]:
        return sorted((face for path in files for face in self._coverage.faces(path)), key=_by_name)

    @cached_property
    def _files(self) -> tuple[dict[int, list[Path]], dict[int, list[Path]]]:
        """The installed font files by rank: plain ones, and those that stand out by their names."""
        plain: dict[int, list[Path]] = {}
        styled: dict[int, list[Path]] = {}
        files = {
            Path(folder, name)
            for top in self._folders
            for folder, _, names in os.walk(top)
            for name in names
            if Path(name).suffix.lower() in _SUFFIXES
        }
        for path in files:
            (styled if _STYLED.search(path.stem) else plain).setdefault(_rank(path.stem), []).append(path)
        return plain, styled

    @cached_property
    def _bundled(self) -> tuple[Face, ...]:
        matplotlib = find_spec("matplotlib")  # found, not loaded
        if matplotlib is None or matplotlib.origin is None:
            raise ModuleNotFoundError("matplotlib")
        dejavu = Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        own = Path(__file__).parent / "fonts" / "TokvizSans-Regular.ttf"
        return tuple(face for path in (own, dejavu) for face in self._coverage.faces(path))

    def _drawable(self, own: Path) -> Face:
        faces = self._coverage.faces(own.absolute())  # read in other processes, too
        if not faces:
            raise TokvizError(
                f"{own}: expected a font of outlines that can be drawn, as font of the config, got a damaged or a colored one; "
                "name another"
            )
        return faces[0]

    def _legible(self, points: Points, missing: frozenset[int]) -> Points:
        """One object for all pictures that share their points."""
        key = (points, missing)
        if missing and key not in self._legible_points:
            self._legible_points[key] = replace(
                points,
                words=tuple(legible(word, missing) for word in points.words),
                categories=tuple(legible(label, missing) for label in points.categories),
            )
        return self._legible_points[key] if missing else points


def _written(
    picture: Plate | Grid | HeatMap, fonts: tuple[Font, ...], missing: frozenset[int], points: Points
) -> Picture:
    return replace(
        picture,
        model=legible(picture.model, missing),
        context=legible(picture.context, missing),
        points=points,
        fonts=fonts,
    )


def _rank(stem: str) -> int:
    name = re.sub(r"[^a-z0-9]", "", stem.lower())
    starts = (index for index, start in enumerate(_PREFERRED) if name.startswith(start.lower().replace(" ", "")))
    return next(starts, len(_PREFERRED))


def _regional(face: Face, codes: frozenset[int]) -> int:
    """0 for a face made for the language of the other characters: Chinese, Japanese and Korean share codes, not forms."""
    if any(0x3040 <= code <= 0x30FF for code in codes):
        region, index = "JP", 0
    elif any(0xAC00 <= code <= 0xD7A3 for code in codes):
        region, index = "KR", 1
    else:
        region, index = "SC", 2
    # Noto's collections hold their regions in this order.
    if "CJK" in face.path.stem and face.path.suffix.lower() in (".ttc", ".otc"):
        return int(face.index != index)
    return int(region not in face.path.stem)


def _by_name(face: Face) -> tuple[str, Path, int]:
    """By name before path: the same fonts elsewhere on another machine make the same pictures."""
    return face.path.name.casefold(), face.path, face.index


def _drawn_codes(texts: Iterable[str]) -> set[int]:
    characters = {character for text in texts for character in text}
    return {ord(character) for character in characters if not _is_invisible(character)}


def _without_picture(codes: Iterable[int]) -> frozenset[int]:
    """Those that are written as code points even where a font has a box for them."""
    return frozenset(code for code in codes if is_without_picture(chr(code)))


def _is_invisible(character: str) -> bool:
    """Whether it is a joiner, a direction mark or a variation selector: these affect how their neighbours are drawn."""
    return (
        unicodedata.category(character) == "Cf"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


# --- what no font has ------------------------------------------------------------------------------------------------


def legible(text: str, missing: frozenset[int]) -> str:
    """``text`` with each run of missing characters as its code points: ``⟨U+6F22 5B57⟩``."""
    written, run = "", ""
    for character in text:
        if ord(character) in missing:
            run += character
            continue
        written += code_points(run) + character
        run = ""
    return written + code_points(run)


def undrawn(words: Iterable[str], missing: frozenset[int]) -> tuple[str, ...]:
    """The words that pictures show with code points."""
    return tuple(word for word in words if legible(word, missing) != word)


def complaint(missing: frozenset[int]) -> str | None:
    """One line on what no font has, and what to do; None where nothing is missing."""
    if not missing:
        return None
    first = min(missing)
    name = unicodedata.name(chr(first), "unnamed")
    shown = f"{chr(first)} ({name})" if chr(first).isprintable() else f"U+{first:04X}"
    rest = f" and {len(missing) - 1:,} more characters" if len(missing) > 2 else " and 1 more character"
    return (
        f"no installed font has {shown}{rest if len(missing) > 1 else ''}: the plots show code points instead, such "
        f"as ⟨U+{first:04X}⟩; {_advice(missing)}"
    )


def _advice(missing: frozenset[int]) -> str:
    fonts = dict.fromkeys(font for code in sorted(missing) if (font := _font_for(chr(code))))
    if not fonts:
        return "take such characters out of the words"
    *others, last = list(fonts)[:MOST_ADVISED]
    what = f"fonts such as {', '.join(others)} and {last}" if others else f"a font such as {last}"
    return f"install {what} and run again"


def _font_for(character: str) -> str | None:
    """One that has the character; None for what isn't meant to be seen."""
    category, name = unicodedata.category(character), unicodedata.name(character, "")
    if category.startswith("C") or not name:
        return None
    if _IDEOGRAPHS.search(name):
        return "Noto Sans CJK"
    if category.startswith(("L", "M")):
        return f"Noto Sans {name.split()[0].capitalize()}"
    return "Noto Emoji"


def font_folders() -> list[Path]:
    """Where this machine keeps its fonts."""
    home = Path.home()
    if sys.platform == "win32":
        roots = [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts"]
        return [*roots, home / "AppData" / "Local" / "Microsoft" / "Windows" / "Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"]
    data = [os.environ.get("XDG_DATA_HOME") or str(home / ".local" / "share")]
    data += (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    return [home / ".fonts", *(Path(folder) / "fonts" for folder in data if folder)]
