"""The hash by which a text is known where the text itself is not kept."""

from __future__ import annotations

import unicodedata
from hashlib import sha256


def text_key(text: str) -> str:
    """Return the SHA-256 of a text's NFC, stripped form; by it a text is known.

    Parameters
    ----------
    text
        Any string.

    Returns
    -------
    str
        Hexadecimal digest.
    """
    return sha256(unicodedata.normalize("NFC", text).strip().encode("utf-8", "surrogatepass")).hexdigest()
