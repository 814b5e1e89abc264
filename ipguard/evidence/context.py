"""What the words around a name, and the prompt as a whole, say about how it is meant."""

from __future__ import annotations

from dataclasses import dataclass

import regex

# What ends where a name begins is looked for from there backwards.
_BACKWARDS = regex.IGNORECASE | regex.REVERSE
_STYLE_BEFORE = regex.compile(
    r"(?:\b(?:in|with|using|of)\s+(?:the\s+|a\s+|an\s+)?(?:\w+\s+){0,2}?(?:styles?|aesthetics?|look|vibes?|manner|spirit|tradition)\s+(?:of|from|like)\s+(?:the\s+|a\s+)?|"
    r"\b(?:style|styles|aesthetic|vibe|look|art|artwork|mood)\s+(?:of|by|from|like)\s+(?:the\s+)?|"
    r"\b(?:inspired|influenced)\s+by\s+(?:the\s+)?|\b(?:style|styled|stylized|stylised|aesthetic)\s*[:=-]?\s*(?:as|like)?\s*|"
    r"\b(?:al|no|nel|im|dans le|à la|in)\s+(?:estilo|stile|stil|style)\s+(?:de\s+|di\s+|von\s+|du\s+|van\s+)?)$",
    _BACKWARDS,
)
_STYLE_AFTER = regex.compile(
    r"^(?:['’]s)?(?:\s+(?:\w+\s+){0,2}?|[-‐–]\s?)(?:styles?|styled|stylized|stylised|style[- ]art|aesthetics?|aesthetic|inspired|influenced|vibes?|look|art\s?style|-?esque|type of style|render(?:ed|ing)? style|core)\b|"
    r"^[-‐]?(?:esque|ish|core)\b|^(?:の)?(?:風|っぽい|調|タッチ|スタイル|テイスト|画風|絵柄|みたいな絵|のような(?:画風|絵|雰囲気|世界観))|^(?:的)?(?:风格|風格|画风|畫風|式)|^\s?(?:풍|스타일|화풍)",
    regex.IGNORECASE,
)
_LIKE_BEFORE = regex.compile(
    r"\b(?:like|resembl\w+|similar to|reminiscent of|à la|ala|as if (?:from|in))\s+(?:a\s+|an\s+|the\s+)?$|(?:类似|像|仿)$",
    _BACKWARDS,
)
_LIKE_AFTER = regex.compile(r"^[- ]like\b|^(?:のような|みたいな|似の|ふう)|^\s?(?:같은|처럼)", regex.IGNORECASE)
_BY_BEFORE = regex.compile(
    r"(?:\b(?:by|artist|art by|painted by|drawn by|designed by|directed by|photo by|von|par|por)\s+(?:[\w.'-]+\s+){0,2})$",
    _BACKWARDS,
)
_BY_LIST = regex.compile(r"\b(?:by|style of)\s+[^.;:()\n]{0,300}$", regex.IGNORECASE)
_MAKE_BEFORE = regex.compile(
    r"(?:\b(?:from|as|cosplay(?:ing)?(?: as| of)?|dressed (?:up )?(?:as|like)|fan\s?art (?:of|for)|portrait of|picture of|image of|photo of|drawing of|painting of|statue of|figure of|toy|"
    r"plush(?:ie)? of|still (?:from|of)|scene (?:from|in|of)|screenshot (?:of|from)|poster (?:of|for)|cover (?:of|for)|character|starring|featuring|with|and|meets|versus|vs\.?|turned into|in the world of|set in|wearing)\s+(?:a\s+|an\s+|the\s+)?(?:[\w-]+\s+){0,1})$",
    _BACKWARDS,
)
_MAKE_AFTER = regex.compile(
    r"^(?:['’]s)?\s*(?:fan\s?art|cosplay|costume|figurine|figure|plush|movie|film|anime|manga|game|character|universe|poster|screenshot|wallpaper|logo|toy|action figure|funko|meme|t-?shirt)\b|"
    r"^の(?:コスプレ|フィギュア|ぬいぐるみ|イラスト|ファンアート|二次創作)|^(?:コスプレ|フィギュア|のぬいぐるみ)|^(?:cos|手办|同人|周边)",
    regex.IGNORECASE,
)
# Apart, since alternatives that begin with different letters are searched for many times as slowly as one by one.
_MENTIONS = tuple(
    regex.compile(pattern, regex.IGNORECASE)
    for pattern in (
        r"\A\s*(?:what|who|when|why|how|which|where|is it|are there|can you (?:explain|tell|recommend)|could you explain|tell me about|explain|summari[sz]e|compare|translate|list|recommend|review|discuss|analy[sz]e)\b",
        r"\b(?:write|draft|give me|need)\s+(?:me\s+)?(?:a|an|the|some|my)?\s*(?:\w+\s+){0,3}?(?:review|essay|article|summary|analysis|report|blog post|tweet|news|headline|quiz|trivia|code|function|script that|sql|regex|email|listing)\b",
        r"\b(?:box office|release date|copyright law|lawsuit|licen[sc]ing deal|stock price|sequel announced|according to)\b",
        r"(?:について(?:教えて|説明|語|まとめ|解説)|とは何|とは？|のあらすじ|の感想|レビュー|考察|を翻訳|を要約|のニュース|は何年|何巻|誰ですか|おすすめ|比較して)|(?:什么是|是谁|介绍一下|影评|剧情简介|为什么|總結|总结|翻译)|(?:알려줘|설명해|리뷰|줄거리|누구|추천해)",
    )
)
_FAN_ART = regex.compile(
    r"\b(?:fan\s?art|cosplay|crossover|fandom|canon|franchise|official art|key visual|film still|movie still|screencap|screenshot|movie poster|box art|game cover|character sheet|lore|boss fight|final boss)\b|二次創作|コスプレ|ファンアート|同人|版権",
    regex.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Around:
    """How a name stands in its sentence; each field is True or False."""

    style: bool
    like: bool
    by: bool
    in_artist_list: bool
    make: bool


def around(prompt: str, start: int, end: int) -> Around:
    """Look at the words on both sides of a span.

    Parameters
    ----------
    prompt
        The original text.
    start, end
        Half-open range of code points.

    Returns
    -------
    Around
        The cues found.
    """
    before, after = prompt[max(0, start - 60) : start], prompt[end : end + 40]
    return Around(
        style=bool(_STYLE_BEFORE.search(before) or _STYLE_AFTER.search(after)),
        like=bool(_LIKE_BEFORE.search(before) or _LIKE_AFTER.search(after)),
        by=bool(_BY_BEFORE.search(before)),
        in_artist_list=bool(_BY_LIST.search(prompt[max(0, start - 300) : start])),
        make=bool(_MAKE_BEFORE.search(before) or _MAKE_AFTER.search(after)),
    )


def talks_about(prompt: str) -> bool:
    """Return whether a prompt asks about something instead of asking to make it."""
    head = prompt[:2000]
    return any(pattern.search(head) for pattern in _MENTIONS)


def speaks_of_fandom(prompt: str) -> bool:
    """Return whether a prompt uses words of fan art, film stills, covers and the like."""
    return bool(_FAN_ART.search(prompt[:5000]))
