"""Write docs/cli.md from the command line itself; a test fails when the page is stale.

python tools/cli_reference.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer.main

from ipguard.cli.app import app

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"


def render() -> str:
    """Return the reference as Markdown."""
    root = typer.main.get_command(app)
    parts = [
        (
            "# Command line\n\nMade by `python tools/cli_reference.py`. "
            "Exit codes: 0 done, 1 a check found something, 2 an error.\n"
        )
    ]

    def visit(command: Any, path: str) -> None:  # noqa: ANN401 - click's classes differ by version
        children = getattr(command, "commands", None)
        if children is not None:
            for name, child in children.items():
                visit(child, f"{path} {name}")
            return
        parts.append(f"\n## `{path}`\n\n{(command.help or '').strip()}\n\n| argument | meaning |\n|---|---|\n")
        for parameter in command.params:
            names = ", ".join(f"`{name}`" for name in parameter.opts)
            shown = names if parameter.param_type_name == "option" else f"`{parameter.name.upper()}`"
            meaning = " ".join((getattr(parameter, "help", None) or "").split())
            default = parameter.default
            if isinstance(default, (str, int, float)) and not isinstance(default, bool):
                meaning += f" Default: {default}."
            parts.append(f"| {shown} | {meaning} |\n")

    visit(root, "ipguard")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
