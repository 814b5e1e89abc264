"""Prompts generated from the catalogue: every way of writing a name, and the ordinary sense of names.

They teach the head what a kind of match is worth where real prompts are too few: disguises, other scripts,
rare media. They carry little weight, and no figure is ever measured on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ipguard.catalogue.schema import Item, Name, Work
from ipguard.catalogue.store import Catalogue
from ipguard.evaluation.data import Example
from ipguard.text.normalize import fold

_FRAMES: dict[str, tuple[str, ...]] = {
    "en": (
        "{n}", "{n} eating ramen in the rain", "portrait of {n}, highly detailed, digital art", "cute {n} plushie on a desk",
        "a photo of {n} riding a bicycle through Tokyo", "{n} as a medieval knight, oil painting", "cinematic shot of {n}, 35mm, 8k",
        "a 10 second clip where {n} walks into a diner", "draw {n} in a forest at night", "my dog dressed as {n}",
        "wide shot, city street, neon signs, {n} standing on a rooftop, volumetric light", "{n} fan art, masterpiece, best quality",
        "make a birthday card with {n}", "write a short story where {n} goes to school", "three friends and {n} at the beach, polaroid",
    ),
    "ja": (
        "{n}", "{n}がラーメンを食べているイラスト", "森の中に立つ{n}、高画質", "{n}のぬいぐるみを抱く女の子", "雨の街を歩く{n}、映画風",
        "{n}を水彩画で描いて", "{n}が出てくる短い動画を作って", "サイバーパンク風の街と{n}", "夕焼けの海辺で笑う{n}",
    ),
    "zh": ("{n}", "{n}在雨中吃拉面,高清", "画一张{n}站在森林里的插画", "电影感镜头,{n}走在城市街头", "{n}的毛绒玩具"),
    "ko": ("{n}", "비 오는 거리를 걷는 {n} 일러스트", "{n} 인형을 안은 아이", "{n} 고화질 사진"),
    "es": ("{n}", "{n} comiendo en un café, arte digital", "retrato de {n} al óleo", "un vídeo de {n} en la playa"),
    "fr": ("{n}", "{n} dans une rue de Paris sous la pluie", "portrait de {n}, peinture à l'huile"),
    "de": ("{n}", "{n} im Wald bei Nacht, detailliert", "ein Foto von {n} auf dem Fahrrad"),
}  # fmt: skip
_ORDINARY_FRAMES = (
    "{w} on a wooden table, soft light", "an old drawing of {w}", "{w}, watercolour, white background", "a quiet street with {w}",
    "logo with {w}, flat design", "close-up photo of {w}", "{w} in the morning", "abstract {w}, colourful",
)  # fmt: skip
_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
_CYRILLIC = str.maketrans({"a": "а", "c": "с", "e": "е", "o": "о", "p": "р", "x": "х", "y": "у", "i": "і"})
GENERATED = "generated"
"""Source of every prompt made here."""
_SENSES = ("only", "usually", "sometimes")


def _spaced(text: str) -> str:
    return " ".join(text.replace(" ", ""))


def _zero_width(text: str) -> str:
    return "\u200b".join(text)


def _repeated(text: str) -> str:
    at = len(text) // 2
    return text[:at] + text[at] * 3 + text[at:]


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _typo(text: str) -> str:
    at = max(1, len(text) // 2)
    return text[:at] + text[at + 1 :]


def _transposed(text: str) -> str:
    at = max(1, len(text) // 2 - 1)
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


DISGUISES: dict[str, Callable[[str], str]] = {
    "leet": lambda t: t.lower().translate(_LEET),
    "spaced": _spaced,
    "dotted": lambda t: ".".join(t.replace(" ", "")),
    "zero-width": _zero_width,
    "homoglyph": lambda t: t.lower().translate(_CYRILLIC),
    "repeated": _repeated,
    "full-width": _full_width,
    "joined": lambda t: t.replace(" ", "").lower(),
    "typo": _typo,
    "transposed": _transposed,
    "tag": lambda t: t.lower().replace(" ", "_"),
}
"""Ways in which people hide or mistype a name."""


def _names(work: Work) -> Iterator[tuple[Work | Item, Name]]:
    subjects: list[Work | Item] = [work, *work.items]
    for subject in subjects:
        for name in subject.names:
            yield subject, name


def _label(work: Work, subject: Work | Item) -> str:
    if isinstance(subject, Work):
        return work.title
    return f"{work.title}: {subject.names[0].text}"


def _frame(generator: np.random.Generator, lang: str, text: str) -> str:
    frames = _FRAMES.get(lang, _FRAMES["en"])
    return frames[generator.integers(len(frames))].replace("{n}", text)


def _named(generator: np.random.Generator, works: list[Work], count: int) -> Iterator[Example]:
    for at in generator.integers(0, len(works), count):
        work = works[at]
        pairs = [p for p in _names(work) if p[1].sense in _SENSES[: 2 if generator.random() < 0.9 else 3]]
        if not pairs:
            continue
        subject, name = pairs[generator.integers(len(pairs))]
        text, kind = name.text, "named"
        if generator.random() < 0.35 and fold(text).chars.isascii() and len(text) >= 6:
            disguise = sorted(DISGUISES)[generator.integers(len(DISGUISES))]
            text, kind = (
                DISGUISES[disguise](text),
                "misspelled" if disguise in ("typo", "transposed") else "obfuscated",
            )
        elif generator.random() < 0.4:
            text = text.lower()
        yield Example(_frame(generator, name.lang, text), "yes", kind, (_label(work, subject),), name.lang, GENERATED)


def _ordinary(generator: np.random.Generator, works: list[Work], count: int) -> Iterator[Example]:
    """Weak names in their ordinary sense: the name itself among ordinary words, without any other hint."""
    weak = [
        n
        for w in works
        for _, n in _names(w)
        if n.sense in ("sometimes", "rarely") and n.lang == "en" and n.text.isascii()
    ]
    for at in generator.integers(0, len(weak), min(count, 4 * len(weak))) if weak else ():
        frame = _ORDINARY_FRAMES[generator.integers(len(_ORDINARY_FRAMES))]
        if weak[at].sense == "rarely":
            yield Example(frame.replace("{w}", weak[at].text.lower()), "no", "homograph", (), "en", GENERATED)


def _described(generator: np.random.Generator, works: list[Work], count: int) -> Iterator[Example]:
    """Half of a description's clauses: a prompt that describes without naming."""
    pool = [
        (w, i, lang, text)
        for w in works
        for i in w.items
        for lang, text in i.descriptions.items()
        if lang in ("en", "ja")
    ]
    for at in generator.integers(0, len(pool), count) if pool else ():
        work, item, lang, text = pool[at]
        mark = "、" if lang == "ja" else ","
        parts = [part.strip() for part in text.split(mark) if part.strip()]
        kept = [part for part in parts if generator.random() < 0.75] or parts
        order = generator.permutation(len(kept)) if generator.random() < 0.5 else range(len(kept))
        body = f"{mark} ".join(kept[i] for i in order) if lang == "en" else mark.join(kept[i] for i in order)
        yield Example(body, "yes", "described", (f"{work.title}: {item.names[0].text}",), lang, GENERATED)


def generate(catalogue: Catalogue, *, named: int, ordinary: int, described: int, seed: int = 0) -> list[Example]:
    """Generate prompts.

    Parameters
    ----------
    catalogue
        Where names and descriptions come from.
    named, ordinary, described
        About how many of each kind.
    seed
        Of the generator; one seed gives one list.

    Returns
    -------
    list of Example
        Labelled; ``source`` is ``generated``.
    """
    generator = np.random.default_rng(seed)
    works = [w for i, w in sorted(catalogue.works.items()) if w.status == "protected" and i not in catalogue.brands]
    if not works:
        return []
    found = [
        *_named(generator, works, named),
        *_ordinary(generator, works, ordinary),
        *_described(generator, works, described),
    ]
    return list({example.text: example for example in found}.values())
