"""The exact view: one canonical form of a text, each of whose characters knows where it came from.

A *folded* text holds letters and digits only. What stood between two of them is kept as a gap class, so that
"Spider-Man", "spider man" and "spiderman" fold to the same characters and still differ in their gaps. Names of
the catalogue are folded by the same function; nothing else is ever done to a name.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import regex

from ipguard.text.scripts import Script, code_points, script_of, scripts_of

NO_GAP, JOINER, SPACE, BREAK = 0, 1, 2, 3
"""Gap classes: nothing; punctuation within a word or name; white space; punctuation that parts clauses."""

_ALPHANUMERIC = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No"})
_BREAKS = frozenset(',;|:()[]{}<>"!?。、，；：！？（）「」『』【】《》〈〉“”\n\r\t/\\…')
_INVISIBLE = frozenset({"Cf", "Cc", "Cs", "Co", "Cn"})
# Sound marks that NFKC composes with the kana before them, and Hangul vowels and finals.
_EXTENDERS = frozenset("\uff9e\uff9f\u309b\u309c")

_COMPOSED_OF_MANY = regex.compile(r"\X")
_KINDS = np.array([Script.LATIN if script == Script.DIGIT else script for script in Script], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class _Tables:
    confusables: dict[str, str]
    ideographs: dict[int, str]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    folder = files("ipguard.text").joinpath("data")
    confusables: dict[str, str] = json.loads(folder.joinpath("confusables.json").read_text("utf-8"))
    forms = json.loads(folder.joinpath("ideographs.json").read_text("utf-8"))
    simplified: dict[str, str] = dict(zip(forms["traditional"]["from"], forms["traditional"]["to"], strict=True))
    old: dict[str, str] = dict(zip(forms["japanese"]["from"], forms["japanese"]["to"], strict=True))
    ideographs: dict[int, str] = {ord(new): simplified.get(form, form) for new, form in old.items()}
    ideographs |= {ord(char): form for char, form in simplified.items()}
    return _Tables(confusables, ideographs)


@dataclass(frozen=True)
class Folded:
    """A folded text with its way back to the original.

    Attributes
    ----------
    chars
        Letters and digits in canonical form.
    starts, ends
        int32 arrays of shape ``(len(chars),)``: code point span in the original of each character.
    gaps
        uint8 array of shape ``(len(chars) + 1,)``: gap class before each character and after the last.
    original
        The text that was folded.
    """

    chars: str
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    gaps: npt.NDArray[np.uint8]
    original: str

    @cached_property
    def gap_bytes(self) -> bytes:
        """`gaps` as bytes, which Python indexes faster than an array."""
        return self.gaps.tobytes()

    @cached_property
    def scripts(self) -> bytes:
        """Script class of each character."""
        return scripts_of(self.chars)

    @cached_property
    def words(self) -> tuple[tuple[int, int], ...]:
        """Half-open ranges of characters between gaps and changes of script.

        Latin letters and digits belong together; hyphens and apostrophes part words.
        """
        if not self.chars:
            return ()
        parted = self.gaps[1:-1] != NO_GAP
        if not self.chars.isascii():
            kinds = _KINDS[np.frombuffer(self.scripts, dtype=np.uint8)]
            parted = parted | (kinds[1:] != kinds[:-1])
        bounds = [0, *(np.flatnonzero(parted) + 1).tolist(), len(self.chars)]
        return tuple(pairwise(bounds))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the original of ``chars[start:end]``, widened to grapheme boundaries.

        Parameters
        ----------
        start, end
            Half-open range of folded characters, ``0 <= start < end <= len(chars)``.

        Returns
        -------
        tuple of int
            Half-open range of code points of the original.
        """
        return snap(self.original, int(self.starts[start]), int(self.ends[end - 1]))


def snap(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span to the boundaries of the grapheme clusters that it touches.

    Parameters
    ----------
    text
        The text.
    start, end
        Half-open range of code points.

    Returns
    -------
    tuple of int
        The widened range.
    """
    # A cluster is never longer than its run of non-ASCII text, so looking at that run is enough.
    low, high = start, end
    while low > 0 and not (text[low].isascii() and text[low - 1].isascii()):
        low -= 1
        if start - low > 64:
            break
    while high < len(text) and not (text[high - 1].isascii() and text[high].isascii()):
        high += 1
        if high - end > 64:
            break
    if text[low:high].isascii() and "\r" not in text[low:high]:
        return start, end
    for cluster in _COMPOSED_OF_MANY.finditer(text, low, high):
        if cluster.start() < start < cluster.end():
            start = cluster.start()
        if cluster.start() < end < cluster.end():
            end = cluster.end()
    return start, end


def _strip_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


@lru_cache(maxsize=1 << 16)
def _fold_cluster(cluster: str) -> tuple[str, int]:
    """Canonical letters of a base character with its marks, and the gap class when there are none."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", cluster).casefold())
    out: list[str] = []
    gap = NO_GAP
    for char in folded:
        category = unicodedata.category(char)
        if category in _ALPHANUMERIC:
            script = script_of(char)
            if script in (Script.LATIN, Script.GREEK):
                out.append(_strip_marks(char))
            else:
                out.append(_tables().ideographs.get(ord(char), char))
        elif category in ("Mn", "Mc", "Me"):
            if out and script_of(out[-1][-1]) not in (Script.LATIN, Script.GREEK):
                out.append(char)
        elif char in _BREAKS:
            gap = max(gap, BREAK)
        elif category in ("Zs", "Zl", "Zp"):
            gap = max(gap, SPACE)
        elif category not in _INVISIBLE:
            gap = max(gap, JOINER)
    if cluster in _BREAKS:
        gap = BREAK
    return "".join(out), NO_GAP if out else gap


def _extends(char: str) -> bool:
    """Whether a character changes the one before it."""
    return (
        char in _EXTENDERS
        or (char >= "\u0300" and unicodedata.category(char) in ("Mn", "Me"))
        or "\u1160" <= char <= "\u11ff"
    )


def _clusters(text: str) -> list[tuple[int, int]]:
    """Half-open ranges of base characters with the marks that change them."""
    ranges: list[tuple[int, int]] = []
    for at, char in enumerate(text):
        if ranges and _extends(char):
            ranges[-1] = (ranges[-1][0], at + 1)
        else:
            ranges.append((at, at + 1))
    return ranges


_ASCII_GAP = [
    NO_GAP if chr(code).isalnum() else BREAK if chr(code) in _BREAKS else SPACE if code == 32 else JOINER
    for code in range(128)
]
_ASCII_GAP[:9] = [NO_GAP] * 9  # control characters are invisible
for _code in (11, 12, *range(14, 32), 127):
    _ASCII_GAP[_code] = NO_GAP
_ASCII_GAPS = np.array(_ASCII_GAP, dtype=np.uint8)
_ASCII_LETTER = np.array([chr(code).isalnum() for code in range(128)])


def _fold_ascii(text: str) -> Folded:
    codes = np.frombuffer(text.lower().encode("ascii"), dtype=np.uint8)
    kept = np.flatnonzero(_ASCII_LETTER[codes]).astype(np.int32)
    return Folded(codes[kept].tobytes().decode("ascii"), kept, kept + 1, _strongest(_ASCII_GAPS[codes], kept), text)


def _strongest(gaps: npt.NDArray[np.uint8], kept: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """The strongest gap class before each letter and behind the last, from the class of every character."""
    starts = np.concatenate([np.zeros(1, dtype=np.int32), kept + 1])
    # Letters are no gap, and neither is what is put behind the last character.
    return np.maximum.reduceat(np.append(gaps, np.uint8(NO_GAP)), starts)


def fold(text: str) -> Folded:
    """Fold a text to its exact view.

    NFKC, case folding; zero-width, control and bidirectional characters removed; combining marks stripped
    from Latin and Greek only (ガ is not カ, й is not и); traditional and old Japanese ideographs mapped to
    simplified ones on both sides of every comparison; letters of other scripts that look Latin (Unicode
    confusables) mapped where they stand in a word with Latin letters.

    Parameters
    ----------
    text
        Any string; lone surrogates and NUL included.

    Returns
    -------
    Folded
        Its letters and digits with their offsets.
    """
    return _remembered(text) if len(text) <= _SHORT else _fold(text)


def _fold(text: str) -> Folded:
    if text.isascii():
        return _fold_ascii(text)
    return _fold_simple(text) or _fold_clusters(text)


class _Letters:
    """What single characters fold to, noted when a character is first met."""

    UNKNOWN, PLAIN, LOOKALIKE, OTHER = range(4)
    """Not met yet; one letter or none; a letter that may stand for a Latin one; what only a cluster tells."""

    def __init__(self) -> None:
        self.kind = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
        self.letter = np.zeros(sys.maxunicode + 1, dtype=np.uint32)
        self.gap = np.zeros(sys.maxunicode + 1, dtype=np.uint8)

    def learn(self, codes: npt.NDArray[np.uint32]) -> None:
        confusables = _tables().confusables
        for code in np.unique(codes).tolist():
            char = chr(code)
            letters, self.gap[code] = _fold_cluster(char)
            self.letter[code] = ord(letters) if len(letters) == 1 else 0
            # Last, so that another thread never reads a character that is half noted.
            if len(letters) > 1 or _extends(char):
                self.kind[code] = self.OTHER
            else:
                self.kind[code] = self.LOOKALIKE if letters in confusables else self.PLAIN


_letters = lru_cache(maxsize=1)(_Letters)


def _fold_simple(text: str) -> Folded | None:
    """Fold a text each of whose characters folds by itself to one letter or to none; None for any other."""
    codes, known = code_points(text), _letters()
    kinds = known.kind[codes]
    if not kinds.all():
        known.learn(codes[kinds == _Letters.UNKNOWN])
        kinds = known.kind[codes]
    if (kinds == _Letters.OTHER).any():
        return None
    letters = known.letter[codes]
    kept = np.flatnonzero(letters).astype(np.int32)
    gaps = _strongest(known.gap[codes], kept)
    chars = letters[kept].tobytes().decode("utf-32-le", "surrogatepass")
    if (kinds == _Letters.LOOKALIKE).any():
        chars = _unmasked(list(chars), gaps.tolist())
    return Folded(chars, kept, kept + 1, gaps, text)


def _fold_clusters(text: str) -> Folded:
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    gaps: list[int] = []
    pending = NO_GAP
    for start, end in _clusters(text):
        letters, gap = _fold_cluster(text[start:end]) if end - start <= 32 else ("", JOINER)
        if not letters:
            pending = max(pending, gap)
            continue
        for letter in letters:
            chars.append(letter)
            starts.append(start)
            ends.append(end)
            gaps.append(pending)
            pending = NO_GAP
    gaps.append(pending)
    return Folded(
        _unmasked(chars, gaps),
        np.array(starts, dtype=np.int32),
        np.array(ends, dtype=np.int32),
        np.array(gaps, dtype=np.uint8),
        text,
    )


# The stages of a batch fold the same prompts again; long ones are not held.
_SHORT = 4096
_remembered = lru_cache(maxsize=512)(_fold)


def _unmasked(chars: list[str], gaps: list[int]) -> str:
    """Text with look-alikes of Latin letters replaced in words that hold Latin letters too."""
    confusables = _tables().confusables
    start = 0
    for end in range(1, len(chars) + 1):
        if end < len(chars) and gaps[end] in (NO_GAP, JOINER):
            continue
        word = chars[start:end]
        if any(c in confusables for c in word) and any(c.isascii() and c.isalpha() for c in word):
            chars[start:end] = [confusables.get(c, c) for c in word]
        elif word and all(c in confusables and script_of(c) == Script.LATIN for c in word):
            chars[start:end] = [confusables[c] for c in word]
        start = end
    return "".join(chars)
