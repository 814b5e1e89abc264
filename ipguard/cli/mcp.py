"""``ipguard mcp``."""

from __future__ import annotations

from ipguard.cli.scoring import Block, CataloguePath, Model, PolicyPath, Review
from ipguard.errors import InvalidArgumentError


def mcp(
    model: Model = None,
    catalogue: CataloguePath = None,
    policy: PolicyPath = None,
    review: Review = None,
    block: Block = None,
) -> None:
    """Serve tools of the Model Context Protocol on standard input and output.

    The tools are score_prompt, rewrite_prompt and search_catalogue. The last reads a catalogue folder, which a
    compiled file does not hold. Needs the extra "mcp".
    """
    from ipguard.catalogue.store import Catalogue
    from ipguard.guard import Guard
    from ipguard.integrations.mcp import make_server
    from ipguard.settings import Settings

    folder = catalogue or Settings.from_environment().catalogue

    def records() -> Catalogue:
        if folder is not None and not folder.is_dir():
            raise InvalidArgumentError("catalogue", "be a folder for works to be searched", folder)
        return Catalogue.load(folder)

    guard = Guard(model=model, catalogue=catalogue, policy=policy, review=review, block=block)
    make_server(guard, records).run()
