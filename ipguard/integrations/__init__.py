"""Adapters for what people already run: each refuses a prompt by the same check, in the way its framework knows."""

from ipguard.integrations.check import Check, Outcome, PromptRefusedError

__all__ = ["Check", "Outcome", "PromptRefusedError"]
