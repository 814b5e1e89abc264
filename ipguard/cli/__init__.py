"""The command line. It alone turns errors into messages and exit codes."""

from ipguard.cli.app import main

__all__ = ["main"]
