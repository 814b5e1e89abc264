"""MCP: a server of tools that score a prompt, reword it, and search the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from importlib.metadata import version
from typing import Annotated, ParamSpec, TypeVar

from ipguard.catalogue.schema import Name, Work
from ipguard.catalogue.store import Catalogue
from ipguard.errors import IpguardError, MissingExtraError
from ipguard.guard import Guard, Purpose, default_guard
from ipguard.rewriting import rewrite
from ipguard.verdict import Decision, Match, Status

try:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations
    from pydantic import BaseModel, Field
except ImportError:
    raise MissingExtraError("ipguard.integrations.mcp", "mcp") from None

P = ParamSpec("P")
R = TypeVar("R")
CatalogueSource = Callable[[], Catalogue]

_INSTRUCTIONS = (
    "Tells whether a prompt for an image, video or text model asks for a protected franchise. Score a prompt before "
    "you send it to a generator; if it is not allowed, offer the rewording. A risk is a calibrated probability, no "
    "legal opinion."
)
_READS_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_NAMES = 12
"""Names of a work that are shown: a model reads every one, and some works have a hundred."""
Prompt = Annotated[str, Field(description="What a user asks a generative model for, to the letter.")]
For = Annotated[Purpose | None, Field(description="What the model makes, if that is known.")]


class RightsHolder(BaseModel):
    """A party that holds rights."""

    id: str
    name: str


class FoundMatch(BaseModel):
    """One piece of evidence that the prompt asks for a work."""

    work_id: str
    title: str
    item: str | None = Field(description="Character, place or thing of the work; null for the work itself.")
    rights_holders: list[RightsHolder]
    status: Status
    text: str = Field(description="The part of the prompt.")
    start: int = Field(description="Where it begins, in code points.")
    end: int
    risk: float = Field(ge=0, le=1)
    reason: str


class Score(BaseModel):
    """The answer for one prompt."""

    risk: float = Field(ge=0, le=1, description="Probability that fulfilling the prompt reproduces a protected work.")
    decision: Decision
    reason_code: str
    reason: str
    matches: list[FoundMatch]
    truncated: bool = Field(description="Whether part of the prompt was too long to be scored.")
    model_version: str
    catalogue_version: str


class Rewording(BaseModel):
    """A prompt in generic wording."""

    text: str
    risk_before: float = Field(ge=0, le=1)
    risk: float = Field(ge=0, le=1, description="Of the rewording.")
    decision: Decision = Field(description="For the rewording, which is not always low in risk.")


class FoundName(BaseModel):
    """A name of a work."""

    text: str
    lang: str


class FoundWork(BaseModel):
    """A work of the catalogue."""

    work_id: str
    title: str
    media: list[str]
    year: int | None
    country: str
    rights_holders: list[RightsHolder]
    status: Status
    names: list[FoundName] = Field(description="Some of its names.")


class Found(BaseModel):
    """Works that bear a name, the best first."""

    works: list[FoundWork]


def make_server(guard: Guard | None = None, catalogue: CatalogueSource = Catalogue.load) -> MCPServer[None]:
    """Return a server with the three tools.

    Parameters
    ----------
    guard
        Scores; the shared one if None.
    catalogue
        Gives the records that are searched. Called at the first search, since scoring does not need them.

    Returns
    -------
    MCPServer
        ``run()`` serves on standard input and output.
    """
    used = guard or default_guard()
    records = cache(catalogue)
    server: MCPServer[None] = MCPServer("ipguard", version=version("ipguard-prompts"), instructions=_INSTRUCTIONS)

    @server.tool(title="Score a prompt", annotations=_READS_ONLY)
    @_telling
    def score_prompt(
        prompt: Prompt,
        purpose: For = None,
        territory: Annotated[
            str | None, Field(description="ISO 3166 code of where the output will be used, such as JP.")
        ] = None,
    ) -> Score:
        """Say how likely it is that fulfilling a prompt reproduces a protected franchise, which one, whose, and why."""
        verdict = used.score(prompt, purpose=purpose, territory=territory)
        return Score(
            **{name: getattr(verdict, name) for name in Score.model_fields if name != "matches"},
            matches=[_found_match(used, match) for match in verdict.matches],
        )

    @server.tool(title="Reword a prompt", annotations=_READS_ONLY)
    @_telling
    def rewrite_prompt(prompt: Prompt, purpose: For = None) -> Rewording:
        """Replace what names or describes protected works in a prompt by generic wording, and score the result."""
        done = rewrite(prompt, guard=used, purpose=purpose)
        return Rewording(text=done.text, risk_before=done.risk_before, risk=done.risk, decision=done.decision)

    @server.tool(title="Search the catalogue", annotations=_READS_ONLY)
    @_telling
    def search_catalogue(
        query: Annotated[str, Field(description="A title, or the name of a character or thing, in any language.")],
        limit: Annotated[int, Field(ge=1, le=100, description="At most so many works.")] = 10,
    ) -> Found:
        """Find works by a name in any language: id, title, media, rights holders and names."""
        known = records()
        return Found(works=[_found_work(known, work) for work in known.search(query, limit=limit)])

    return server


def _telling(tool: Callable[P, R]) -> Callable[P, R]:
    """The tool with its refusals in words: the SDK keeps the text of any other exception from the client."""

    @wraps(tool)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return tool(*args, **kwargs)
        except IpguardError as error:
            raise ToolError(str(error)) from error

    return told


def _found_match(guard: Guard, match: Match) -> FoundMatch:
    shown = {name: getattr(match, name) for name in FoundMatch.model_fields if name != "rights_holders"}
    holders = [RightsHolder(id=holder, name=guard.rights_holder(holder)) for holder in match.rights_holders]
    return FoundMatch(**shown, rights_holders=holders)


def _found_work(catalogue: Catalogue, work: Work) -> FoundWork:
    return FoundWork(
        work_id=work.id,
        title=work.title,
        media=list(work.media),
        year=work.year or None,
        country=work.country,
        rights_holders=[_holder(catalogue, holder) for holder in work.rights_holders],
        status=work.status,
        names=[_found_name(name) for name in work.names[:_NAMES]],
    )


def _found_name(name: Name) -> FoundName:
    return FoundName(text=name.text, lang=name.lang)


def _holder(catalogue: Catalogue, party_id: str) -> RightsHolder:
    party = catalogue.parties.get(party_id)
    return RightsHolder(id=party_id, name=party.names.get("en", party_id) if party else party_id)
