"""Which language a prompt is plainly written in, from scripts and function words."""

from __future__ import annotations

import re
from functools import lru_cache

import regex

_KANA = regex.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL = regex.compile(r"[\uac00-\ud7a3]")
_HAN = regex.compile(r"[\u4e00-\u9fff]")
_CYRILLIC = regex.compile(r"[\u0400-\u04ff]")
_THAI = regex.compile(r"[\u0e00-\u0e7f]")
_ARABIC = regex.compile(r"[\u0600-\u06ff]")
_WORD = regex.compile(r"\p{Latin}+")
_ASCII_WORD = re.compile("[a-z]+")
_FUNCTION_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(
        [
            "the",
            "a",
            "an",
            "of",
            "in",
            "on",
            "with",
            "and",
            "at",
            "by",
            "for",
            "from",
            "is",
            "are",
            "to",
            "as",
            "his",
            "her",
        ]
    ),
    "es": frozenset(
        ["el", "la", "los", "las", "un", "una", "de", "del", "en", "con", "y", "por", "para", "que", "su", "al", "es"]
    ),
    "fr": frozenset(
        [
            "le",
            "la",
            "les",
            "un",
            "une",
            "des",
            "du",
            "de",
            "dans",
            "avec",
            "et",
            "sur",
            "pour",
            "au",
            "aux",
            "est",
            "qui",
            "en",
        ]
    ),
    "de": frozenset(
        [
            "der",
            "die",
            "das",
            "ein",
            "eine",
            "einen",
            "einem",
            "und",
            "mit",
            "im",
            "auf",
            "von",
            "für",
            "ist",
            "den",
            "dem",
            "zu",
        ]
    ),
    "it": frozenset(
        ["il", "lo", "la", "gli", "un", "una", "di", "del", "della", "nel", "con", "e", "per", "che", "sul", "al", "è"]
    ),
    "pt": frozenset(
        ["o", "a", "os", "as", "um", "uma", "de", "do", "da", "no", "na", "com", "e", "em", "para", "que", "ao", "é"]
    ),
    "nl": frozenset(["de", "het", "een", "van", "in", "op", "met", "en", "voor", "is", "aan", "bij", "naar"]),
    "pl": frozenset(["w", "z", "na", "i", "do", "o", "nad", "pod", "się", "jest", "ze", "przez"]),
    "id": frozenset(["di", "dan", "yang", "dengan", "sebuah", "seorang", "untuk", "dari", "ke", "pada"]),
    "tr": frozenset(["bir", "ve", "ile", "bu", "için", "olan", "gibi", "da", "de"]),
    "vi": frozenset(["một", "và", "của", "với", "trong", "trên", "là", "có", "cho"]),
}


_LANGUAGES_OF: dict[str, tuple[str, ...]] = {
    word: tuple(lang for lang, known in _FUNCTION_WORDS.items() if word in known)
    for word in frozenset().union(*_FUNCTION_WORDS.values())
}


@lru_cache(maxsize=4096)
def plain_language(prompt: str) -> str | None:
    """Return the language of a prompt where it is plain.

    Parameters
    ----------
    prompt
        The original text.

    Returns
    -------
    str or None
        ISO 639-1 code; None for tags, a single name, or text that could be several languages. Text of
        ideographs without kana is Chinese.
    """
    if not prompt.isascii():
        if _KANA.search(prompt):
            return "ja"
        for pattern, lang in ((_HANGUL, "ko"), (_HAN, "zh"), (_CYRILLIC, "ru"), (_THAI, "th"), (_ARABIC, "ar")):
            if len(pattern.findall(prompt[:2000])) >= 2:
                return lang
    if prompt.isascii():
        words = _ASCII_WORD.findall(prompt[:2000].casefold())
    else:
        words = [w.casefold() for w in _WORD.findall(prompt[:2000])]
    counts = dict.fromkeys(_FUNCTION_WORDS, 0)
    for word in words:
        for lang in _LANGUAGES_OF.get(word, ()):
            counts[lang] += 1
    second, best = sorted(counts.values())[-2:]
    return max(counts, key=counts.__getitem__) if best > second and best >= 2 else None
