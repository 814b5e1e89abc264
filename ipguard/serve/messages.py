"""Neutral sentences for end users. They name no work: who reads them may be the one who tries to get around."""

from __future__ import annotations

from typing import Literal

from ipguard.verdict import Decision

Lang = Literal["en", "ja"]

_SENTENCES: dict[str, tuple[str, str]] = {
    "named_franchise": (
        "This request seems to ask for a protected work.",
        "保護されている作品の生成を求めている可能性があります。",
    ),
    "described_franchise": (
        "This request seems to describe a protected work.",
        "保護されている作品の特徴を描写している可能性があります。",
    ),
    "unlisted_franchise": (
        "This request seems to ask for a protected work.",
        "保護されている作品の生成を求めている可能性があります。",
    ),
    "style": (
        "This request seems to ask for the style of a protected work.",
        "保護されている作品の作風を求めている可能性があります。",
    ),
    "brand": (
        "This request seems to ask for a protected brand.",
        "保護されている商標の生成を求めている可能性があります。",
    ),
    "opted_out": (
        "A rights holder has asked that this not be generated.",
        "権利者の申し出により、この内容は生成できません。",
    ),
    "truncated": (
        "This request is too long to be checked in full.",
        "文章が長すぎるため、すべてを確認できません。",
    ),
    "images": (
        "Images cannot be checked here.",
        "画像は確認できません。",
    ),
}  # fmt: skip
_DEFAULT = (
    "This request is not permitted by the rules in force here.",
    "この内容は現在の利用規則では許可されていません。",
)
_NEXT: dict[Decision, tuple[str, str]] = {
    "allow": ("This request is fine.", "問題は見つかりませんでした。"),
    "review": ("It will be looked at by a person.", "担当者が確認します。"),
    "block": ("It was not carried out.", "処理は行われませんでした。"),
}


def sentence(code: str, decision: Decision, lang: Lang) -> str:
    """Return what an end user is told.

    Parameters
    ----------
    code
        Reason code of the verdict.
    decision
        Of the verdict.
    lang
        ``en`` or ``ja``.

    Returns
    -------
    str
        One or two sentences without a catalogue term.
    """
    at = 1 if lang == "ja" else 0
    after = _NEXT[decision][at]
    if decision == "allow":
        return after
    return f"{_SENTENCES.get(code, _DEFAULT)[at]}{'' if lang == 'ja' else ' '}{after}"


def language(accept: str | None) -> Lang:
    """Return the language that an ``Accept-Language`` header prefers.

    Parameters
    ----------
    accept
        The header, or None.

    Returns
    -------
    str
        ``ja`` if Japanese stands before English there, else ``en``.
    """
    ranked: list[tuple[float, int, Lang]] = []
    for at, entry in enumerate((accept or "").split(",")):
        tag, _, quality = entry.strip().partition(";q=")
        primary = tag.strip().lower().split("-")[0]
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        if primary in ("en", "ja") and weight > 0:
            ranked.append((-weight, at, "ja" if primary == "ja" else "en"))
    return min(ranked)[2] if ranked else "en"
