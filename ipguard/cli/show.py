"""Drawing verdicts in a terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ipguard.verdict import Match, Verdict

_COLOURS = {"allow": "green", "review": "yellow", "block": "red"}
_BAR = 24


def console() -> Console:
    """Return a console that leaves prompts as they are."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def risk_bar(risk: float, decision: str) -> Text:
    """Return a bar of the risk with its value and the decision.

    Parameters
    ----------
    risk
        In [0, 1].
    decision
        Sets the colour.

    Returns
    -------
    rich.text.Text
        One line.
    """
    filled = round(risk * _BAR)
    bar = Text("█" * filled, style=_COLOURS[decision])
    bar.append("░" * (_BAR - filled), style="dim")
    bar.append(f"  {risk:.3f}  ")
    bar.append(decision, style=f"bold {_COLOURS[decision]}")
    return bar


def marked(prompt: str, matches: tuple[Match, ...]) -> Text:
    """Return the prompt with the matched spans marked by colour and underline.

    Parameters
    ----------
    prompt
        The original text.
    matches
        Of its verdict.

    Returns
    -------
    rich.text.Text
        The prompt, to the letter.
    """
    text = Text(prompt)
    for match in matches:
        style = "bold underline" if match.risk >= 0.5 else "underline"
        text.stylize(f"{style} {'red' if match.risk >= 0.5 else 'yellow'}", match.start, match.end)
    return text


def render(prompt: str, verdict: Verdict, holder_name: Callable[[str], str]) -> RenderableType:
    """Return a verdict as a person reads it.

    Parameters
    ----------
    prompt
        The original text.
    verdict
        Its verdict.
    holder_name
        Gives the name of a rights holder by id.

    Returns
    -------
    rich.console.RenderableType
        Prompt, bar, table of matches, reason.
    """
    parts: list[RenderableType] = [marked(prompt, verdict.matches), risk_bar(verdict.risk, verdict.decision)]
    shown = _distinct(verdict.matches)
    if shown:
        table = Table(show_edge=False, pad_edge=False, header_style="bold")
        for heading in ("found", "work", "item", "rights holder", "risk", "why"):
            table.add_column(heading, justify="right" if heading == "risk" else "left", overflow="fold")
        for match in shown:
            holders = ", ".join(holder_name(holder) for holder in match.rights_holders)
            found = match.text if len(match.text) <= 28 else f"{match.text[:27]}…"
            why = match.reason.split(": ", 1)[-1]
            table.add_row(*map(Text, (found, match.title, match.item or "", holders, f"{match.risk:.2f}", why)))
        parts.append(table)
    parts.append(Text(f"{verdict.reason_code} ({verdict.rule})", style="dim"))
    return Group(*parts)


def _distinct(matches: tuple[Match, ...], limit: int = 8) -> list[Match]:
    """At most eight matches, one a work and item."""
    first: dict[tuple[str, str | None], Match] = {}
    for match in matches:
        first.setdefault((match.work_id, match.item), match)
    return list(first.values())[:limit]
