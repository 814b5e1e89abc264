"""Charts of the report, drawn as SVG from numbers and dates of our own."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ipguard.batch.tally import Group, Tally

if TYPE_CHECKING:
    from markupsafe import Markup


def _markup(text: str) -> Markup:
    from markupsafe import Markup

    # Made of numbers and dates of our own, checked by their formats.
    return Markup(text)  # noqa: S704


def bin_rows(histogram: list[int]) -> list[tuple[str, str, str]]:
    """Return lower end, upper end and number of each bin, for reading."""
    step = 1 / len(histogram)
    return [(f"{at * step:.2f}", f"{(at + 1) * step:.2f}", f"{count:,}") for at, count in enumerate(histogram)]


def histogram_chart(histogram: list[int]) -> Markup:
    """Draw bars of equal width, as high as the square root of their numbers.

    Parameters
    ----------
    histogram
        Numbers by risk, in equal bins over [0, 1].

    Returns
    -------
    Markup
        An SVG picture.
    """
    width, height, foot = 640, 170, 20
    step, most = width / len(histogram), sqrt(max([*histogram, 1]))
    bars = []
    for at, count in enumerate(histogram):
        size = sqrt(count) / most * (height - foot - 16)
        bars.append(
            f'<rect class="bar" x="{at * step + 1:.1f}" y="{height - foot - size:.1f}" width="{step - 2:.1f}" '
            f'height="{size:.1f}"><title>{_range(at, len(histogram))}: {count:,}</title></rect>'
        )
    ticks = "".join(
        f'<text x="{width * at / 4:.0f}" y="{height - 5}" text-anchor="{anchor}">{at / 4:g}</text>'
        for at, anchor in enumerate(("start", "middle", "middle", "middle", "end"))
    )
    line = f'<line class="axis" x1="0" x2="{width}" y1="{height - foot}" y2="{height - foot}"/>'
    label = f"Histogram of risk over {sum(histogram):,} prompts"
    return _svg(width, height, label, [*bars, line, ticks])


def trend_chart(found: Tally) -> tuple[Markup | None, str, list[tuple[str, Group]]]:
    """Draw bars by day, or by month where there are more than sixty days.

    Parameters
    ----------
    found
        The counts.

    Returns
    -------
    tuple
        An SVG picture, ``day`` or ``month``, and the rows behind it; None and nothing where there is no time.
    """
    if len(found.days) < 2:
        return None, "", []
    groups, unit = dict(found.days), "day"
    if len(groups) > 60:
        unit, months = "month", dict[str, Group]()
        for day, group in groups.items():
            month = months.setdefault(day[:7], Group())
            month.prompts += group.prompts
            month.review += group.review
            month.block += group.block
        groups = months
    rows = sorted(groups.items())
    width, height, foot = 640, 150, 20
    step, most = width / len(rows), max([*(group.flagged for _, group in rows), 1])
    bars = []
    for at, (name, group) in enumerate(rows):
        low = float(height - foot)
        for kind, count in (("b", group.block), ("r", group.review)):
            size = count / most * (height - foot - 10)
            low -= size
            bars.append(
                f'<rect class="{kind}" x="{at * step + 0.5:.1f}" y="{low:.1f}" width="{max(step - 1, 0.5):.1f}" '
                f'height="{size:.1f}"><title>{name}: {count:,} of {group.prompts:,}</title></rect>'
            )
    ticks = (
        f'<text x="0" y="{height - 5}">{rows[0][0]}</text>'
        f'<text x="{width}" y="{height - 5}" text-anchor="end">{rows[-1][0]}</text>'
    )
    label = f"Prompts at risk from {rows[0][0]} to {rows[-1][0]}"
    return _svg(width, height, label, [*bars, ticks]), unit, rows


def _range(at: int, bins: int) -> str:
    return f"{at / bins:.2f} to {(at + 1) / bins:.2f}"


def _svg(width: int, height: int, label: str, parts: list[str]) -> Markup:
    return _markup(f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>')
