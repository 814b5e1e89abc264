"""Measuring honestly: data joined by hash, near-duplicates kept together, intervals on every figure."""
