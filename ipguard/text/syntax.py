"""Prompt syntax: which stretches of a prompt are meant as "leave this out", and which are model tags."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import regex


class Zone(IntEnum):
    """What a stretch of a prompt does."""

    WANTED = 0
    NEGATIVE = 1
    LORA = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """A half-open range of code points with its zone."""

    start: int
    end: int
    zone: Zone


# Stable Diffusion front ends write the negative prompt on a line of its own, up to the generation settings.
_NEGATIVE_LINE = regex.compile(
    r"(?:negative[ _-]?prompt|ネガティブ ?プロンプト|反向提示词|負面提示詞|负面提示词)\s*[::]\s*(?P<part>.*?)"
    r"(?=\n\s*(?:steps|sampler|seed|prompt|size|cfg)\b|\Z)",
    regex.IGNORECASE | regex.DOTALL,
)
_NEGATIVE_JSON = regex.compile(r'"negative[ _-]?prompt"\s*:\s*"(?P<part>(?:\\.|[^"\\])*)"', regex.IGNORECASE)
_FOREIGN_NEGATIVE = regex.compile("ネガ|反向|负面|負面")
# Midjourney: --no a, b, up to the next parameter.
_NO_PARAMETER = regex.compile(r"(?:^|\s)--no\s+(?P<part>.*?)(?=\s--\w|\n|\Z)", regex.IGNORECASE | regex.DOTALL)
_LORA = regex.compile(
    r"<\s*(?:lora|lyco|hypernet|embedding)\s*:(?P<part>[^:>\n]{1,200})(?::[^>\n]{0,40})?>", regex.IGNORECASE
)
_RULES: tuple[tuple[regex.Pattern[str], Zone], ...] = (
    (_NEGATIVE_JSON, Zone.NEGATIVE),
    (_NEGATIVE_LINE, Zone.NEGATIVE),
    (_NO_PARAMETER, Zone.NEGATIVE),
    (_LORA, Zone.LORA),
)

# "no X", "without X", "not like X": the words that exclude the name after them. "not only" does not.
_NEGATION_BEFORE = regex.compile(
    r"(?:\b(?:no|not|without|never|avoid|avoiding|exclude|excluding|except|minus|isn't|isnt|don't(?: use| add| include)?|"
    r"do not(?: use| add| include| draw| make)?|doesn't look like|free of|sans|sin|sem|ohne|kein\w*|keine\w*|pas de|senza|nicht|без|не)\s+"
    r"(?:(?:a|an|the|any|un|una|uma|le|la|les|de|der|die|das)\s+)?(?:(?:like|resemble|resembling|look like|to|do|with|use|include|copy|in the style of|característico\w*)\s+)?"
    r"(?:(?:a|an|the|any)\s+)?|不要|没有|沒有|不是|避免|禁止|别画|不含)$",
    regex.IGNORECASE | regex.REVERSE,
)
_NOT_ONLY = regex.compile(r"\bnot (?:only|just)\s*(?:a|an|the)?\s*$", regex.IGNORECASE)
_NEGATION_AFTER = regex.compile(
    r"^(?:\s*(?:風|っぽ|みたい|のような|とか|など|や[^。]{0,12}|、[^。]{0,12}))?\s*"
    r"(?:ではな[いく]|じゃな[いく]|でない|なし|無し|抜き|以外|は(?:出|描|入れ|使わ|含め|いら|不要|禁止|避け)[^。]{0,6}(?:ないで|ない|ず|禁止)?|を(?:出さ|描か|入れ|使わ|含め|避け|除)[^。]{0,6}|禁止|NG|は不要|를? ?빼고|없이|말고|가 아닌|이 아닌|이 아니라)",
    regex.IGNORECASE,
)


def zones(prompt: str) -> tuple[Stretch, ...]:
    """Find the stretches of a prompt that are not plainly wanted content.

    Parameters
    ----------
    prompt
        The original text.

    Returns
    -------
    tuple of Stretch
        Negative prompts (``Negative prompt:``, ``--no``, a JSON member of that name) and LoRA tags, in the
        order of the rules; stretches may overlap.
    """
    lowered = prompt.casefold()
    if (
        "neg" not in lowered
        and "--no" not in lowered
        and "<" not in lowered
        and (prompt.isascii() or not _FOREIGN_NEGATIVE.search(prompt))
    ):
        return ()
    found = []
    for pattern, zone in _RULES:
        found += [Stretch(*match.span("part"), zone) for match in pattern.finditer(prompt)]
    return tuple(found)


def zone_at(stretches: tuple[Stretch, ...], start: int, end: int) -> Zone:
    """Return the zone of a span; a negative stretch wins over a tag.

    Parameters
    ----------
    stretches
        Result of :func:`zones`.
    start, end
        Half-open range of code points.

    Returns
    -------
    Zone
        ``WANTED`` if no stretch holds the span.
    """
    inside = [s.zone for s in stretches if s.start <= start and end <= s.end]
    if Zone.NEGATIVE in inside:
        return Zone.NEGATIVE
    return inside[0] if inside else Zone.WANTED


def negated(prompt: str, start: int, end: int) -> bool:
    """Return whether the words beside a span exclude it.

    Parameters
    ----------
    prompt
        The original text.
    start, end
        Half-open range of code points of a name.

    Returns
    -------
    bool
        True for "a castle, no Disney" and 「ピカチュウではない黄色いねずみ」.
    """
    before = prompt[max(0, start - 48) : start]
    if _NEGATION_BEFORE.search(before) and not _NOT_ONLY.search(before):
        return True
    return bool(_NEGATION_AFTER.search(prompt[end : end + 24]))
