"""The model card, written from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipguard.classifier.head import Head
from ipguard.evaluation.run import table
from ipguard.evidence.features import FEATURES

if TYPE_CHECKING:
    from ipguard.training.run import Trained

_TEXT = """# Model card: ipguard default bundle

Reads a prompt for a generative model and gives the calibrated probability that fulfilling it would reproduce a
protected franchise, as defined by the labelling guide (docs/labelling.md).

## Parts

- Encoder: static token vectors distilled from `intfloat/multilingual-e5-small` (MIT), fine-tuned on descriptions,
  int8, 256 dimensions.
- Candidates: works of the catalogue that the prompt names or whose descriptions it resembles.
- Head: gradient boosting over {features} features of a candidate, a linear model for works that the catalogue
  lacks, and an aggregate calibrated for a prior of {prior:.2f}. Stored as arrays; loading runs no code.
- Thresholds: review from {review}, block from {block}, chosen on out-of-fold risks of real prompts for
  {review_fpr:.1%} and {block_fpr:.1%} of the clean ones above them.

## Training prompts

{data}

A prompt that asks for a style only names works as the guilty ones do; as a negative of the franchise category it
weighs {style_weight} of another prompt. The risk of a style prompt is therefore an upper bound, and its own category
tells it apart.

## Measured

Real prompts that users typed, yes against no, cross-validated: no prompt is scored by a head that saw it, a
near-duplicate, or another prompt of that file with one of its works. 95 % intervals over clusters of
near-duplicates. Slices under 50 rows show their size only.

{scores}

## What it cannot do

- A work that the catalogue lacks is only guessed at from the way in which the prompt is written.
- Descriptions without a name are recognised for works with described items, and best in the language of the
  description.
- It reads text: what an image or an attached file shows, and what a model makes of an innocent prompt, is not seen.
- A risk is no legal opinion. Licences and exceptions belong into a policy.
"""


def card(trained: Trained) -> str:
    """Return the model card as Markdown.

    Parameters
    ----------
    trained
        A head with its figures.

    Returns
    -------
    str
        The card.
    """
    from ipguard.training.fit import STYLE_WEIGHT  # noqa: PLC0415
    from ipguard.training.run import BLOCK_FPR, REVIEW_FPR  # noqa: PLC0415 - the modules know each other

    head: Head = trained.head
    lines = [
        f"- {name}: {part['rows']} prompts"
        + (f", SHA-256 of hashes and labels `{part['sha256'][:16]}…`" if "sha256" in part else "")
        for name, part in trained.data.items()
        if isinstance(part, dict)
    ]
    lines.append(f"- catalogue: {trained.data['catalogue']}")
    return _TEXT.format(
        features=len(FEATURES),
        prior=head.prior,
        review=trained.thresholds.review,
        block=trained.thresholds.block,
        review_fpr=REVIEW_FPR,
        block_fpr=BLOCK_FPR,
        style_weight=STYLE_WEIGHT,
        data="\n".join(lines),
        scores=table(trained.scores) if trained.scores else "No real prompts were given.",
    )
