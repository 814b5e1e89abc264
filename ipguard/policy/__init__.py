"""Turning risks into decisions. Policy never changes a risk."""
