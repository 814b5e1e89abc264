"""Turning texts into vectors."""

from ipguard.encoding.base import Encoder, unit_rows
from ipguard.encoding.static import StaticEncoder
from ipguard.encoding.transformer import SentenceTransformerEncoder

__all__ = ["Encoder", "SentenceTransformerEncoder", "StaticEncoder", "unit_rows"]
