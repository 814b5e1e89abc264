"""How common a word is in ordinary text, from a table that is shipped with the package."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt

_ZIPF_STEP = 1 / 30


def word_key(word: str) -> int:
    """Return the 64-bit key under which a folded word is stored.

    Parameters
    ----------
    word
        A folded word.

    Returns
    -------
    int
        The first eight bytes of its BLAKE2b hash.
    """
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@lru_cache(maxsize=1)
def _table() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    with as_file(files("ipguard.text").joinpath("data/words.npz")) as path, np.load(path) as table:
        return table["keys"], table["zipf"]


@lru_cache(maxsize=1 << 17)
def zipf(word: str) -> float:
    """Return the Zipf frequency of a folded word.

    The scale is log10 of occurrences in 10⁹ words (van Heuven et al. 2014): "the" is 7.7, "frozen" 4.5. The
    table joins English (from 2.2), some 25 other languages in Latin script (from 3.6) and Japanese words that
    begin with katakana (from 2.0; rarer ones at 2.0 where a dictionary has them as common nouns), each word with its
    highest frequency; source and licence are in NOTICE.

    Parameters
    ----------
    word
        A word folded by :func:`ipguard.text.normalize.fold`.

    Returns
    -------
    float
        Zipf frequency, 0.0 for a word that ordinary text does not hold.
    """
    keys, values = _table()
    key = np.uint64(word_key(word))
    at = int(np.searchsorted(keys, key))
    if at < len(keys) and keys[at] == key:
        return float(values[at]) * _ZIPF_STEP
    return 0.0


def is_ordinary(word: str, *, floor: float = 2.0) -> bool:
    """Return whether ordinary text holds a word, or the word without an English ending.

    Parameters
    ----------
    word
        A folded word.
    floor
        Zipf frequency from which a word counts.

    Returns
    -------
    bool
        True for "panther", "panthers" and "panthering"; False for "pikachoo".
    """
    if zipf(word) >= floor:
        return True
    for ending in ("s", "es", "ed", "ing", "ly", "er", "ish", "like", "esque", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and zipf(word[: -len(ending)]) >= max(floor, 2.5):
            return True
    return False
