"""Requests and answers of the service, as documented by ``/openapi.json``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from ipguard.serve.body import Strict, Text

Purpose = Literal["image", "video", "text"]
Audience = Literal["operator", "end_user"]
Lang = Literal["en", "ja"]
Decision = Literal["allow", "review", "block"]
Territory = Annotated[str, Field(pattern="^[A-Za-z]{2}$", description="ISO 3166 code of where the output is used.")]
WorkIds = Annotated[tuple[Text, ...], Field(max_length=1000, strict=False)]
Risk = Annotated[float, Field(ge=0, le=1)]


class ScoreRequest(Strict):
    """Prompts to score, and how."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["prompt"]}, {"required": ["prompts"]}]})
    prompt: Text | None = Field(default=None, description="One prompt; or give prompts.")
    prompts: Annotated[tuple[Text, ...], Field(min_length=1, strict=False)] | None = Field(
        default=None, description="Several."
    )
    negative_prompt: Text | None = Field(
        default=None, description="What the output must not hold; never raises the risk."
    )
    purpose: Purpose | None = Field(default=None, description="What the model makes.")
    allow: WorkIds = Field(default=(), description="Ids of works that this caller may reproduce.")
    territory: Territory | None = None
    audience: Audience = Field(
        default="operator", description="Whom the answer is for; keys of end users always get theirs."
    )
    lang: Lang | None = Field(default=None, description="Of sentences for end users; by Accept-Language if not given.")

    @model_validator(mode="after")
    def _one_kind(self) -> ScoreRequest:
        if (self.prompt is None) == (self.prompts is None):
            raise ValueError("give either prompt or prompts")
        if self.negative_prompt is not None and self.prompt is None:
            raise ValueError("negative_prompt belongs to a single prompt")
        return self

    @property
    def texts(self) -> tuple[str, ...]:
        """The prompts, one or several."""
        return self.prompts if self.prompts is not None else (self.prompt or "",)


class MatchAnswer(BaseModel):
    """Why a prompt is at risk: a piece of it, and the work that it names or describes."""

    work_id: str
    title: str
    item: str | None
    rights_holders: list[str]
    rights_holder_names: list[str]
    status: Literal["protected", "public_domain"]
    kind: Literal["name", "misspelled", "obfuscated", "description", "unlisted"]
    text: str
    start: int = Field(description="Code points before the piece.")
    end: int
    start_utf16: int = Field(description="UTF-16 units before the piece, as JavaScript counts.")
    end_utf16: int
    risk: Risk
    reason: str
    rule: str | None


class Thresholds(BaseModel):
    """Risks from which a prompt is reviewed and blocked."""

    review: Risk
    block: Risk


class OperatorResult(BaseModel):
    """A verdict with its terms and spans."""

    model_config = ConfigDict(protected_namespaces=())
    risk: Risk
    residual_risk: Risk = Field(description="Without the works that policy permits.")
    decision: Decision
    flagged: bool
    categories: dict[str, Risk | None]
    matches: list[MatchAnswer]
    reason: str
    reason_code: str
    message: str = Field(description="A neutral sentence for end users.")
    rule: str
    truncated: bool
    model_version: str
    catalogue_version: str
    policy_version: str
    thresholds: Thresholds


class EndUserResult(BaseModel):
    """A decision without terms, works and risks."""

    decision: Decision
    flagged: bool
    reason_code: str
    message: str


class ScoreAnswer(BaseModel):
    """A result a prompt, in order."""

    results: list[OperatorResult | EndUserResult]
    request_id: str


class TextPart(Strict):
    """A piece of text."""

    type: Literal["text"]
    text: Text


class ImagePart(Strict):
    """An image, which is refused: it cannot be checked."""

    type: Literal["image_url"]
    image_url: dict[str, Any]


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


def _form(value: object) -> str | None:
    if isinstance(value, str):
        return "one text"
    if isinstance(value, list):
        return "list of parts" if value and isinstance(value[0], dict) else "list of texts"
    return None


ModerationInput = Annotated[
    Annotated[Text, Tag("one text")]
    | Annotated[list[Text], Field(min_length=1), Tag("list of texts")]
    | Annotated[list[Part], Field(min_length=1), Tag("list of parts")],
    Discriminator(_form, custom_error_type="input_form", custom_error_message="must be a text, texts or typed parts"),
]


class ModerationRequest(BaseModel):
    """OpenAI's request. Fields that it may gain are passed over, as OpenAI's clients expect."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")
    input: ModerationInput
    model: Text | None = None


class ModerationResult(BaseModel):
    """OpenAI's result with a category and an object more."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, Risk]
    category_applied_input_types: dict[str, list[str]]
    ipguard: dict[str, Any] = Field(description="The result of /v1/score.")


class ModerationAnswer(BaseModel):
    """OpenAI's answer."""

    id: str
    model: str
    results: list[ModerationResult]


class GuardrailParams(Strict):
    """``additional_provider_specific_params`` of a LiteLLM guardrail."""

    threshold: Risk | None = Field(
        default=None, description="Risk from which a text is blocked; the thresholds in force if not given."
    )
    block_on: Literal["block", "review"] | None = Field(
        default=None, description="Decision from which a text is blocked."
    )
    purpose: Purpose | None = None
    allow: WorkIds = ()
    territory: Territory | None = None
    lang: Lang | None = None


class GuardrailRequest(BaseModel):
    """LiteLLM's request. What it holds beside these fields is not looked at."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")
    texts: list[Text] | None = None
    images: list[Any] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    input_type: Literal["request", "response"]
    litellm_call_id: str | None = None
    additional_provider_specific_params: GuardrailParams | None = None


class GuardrailAnswer(BaseModel):
    """LiteLLM's answer."""

    action: Literal["NONE", "BLOCKED"]
    blocked_reason: str | None = None


class RewriteRequest(Strict):
    """A prompt to put in other words."""

    prompt: Text
    purpose: Purpose | None = None


class RewriteAnswer(BaseModel):
    """A prompt without the franchises that it named, as far as the catalogue has words for it."""

    prompt: str
    text: str
    replacements: list[dict[str, Any]]
    risk_before: Risk
    risk: Risk
    decision: Decision = Field(description="For the new wording, which need not be allowed.")


class Holder(BaseModel):
    """A party that holds rights."""

    id: str
    name: str


class WorkSummary(BaseModel):
    """A work in a list."""

    id: str
    title: str
    name: str | None = Field(description="The name by which it was found, if that is not its title.")
    media: list[str]
    country: str
    status: str
    brand: bool
    rights_holders: list[Holder]
    items: int


class SearchAnswer(BaseModel):
    """Works that bear a name."""

    works: list[WorkSummary]
    total: int = Field(description="Works found, those that are not shown included.")
    media: list[str] = Field(description="Media of the catalogue.")
    catalogue_version: str


class WorkAnswer(BaseModel):
    """A work with its names, characters and things."""

    id: str
    title: str
    media: list[str]
    country: str
    status: str
    brand: bool
    rights_holders: list[Holder]
    names: list[dict[str, str]]
    descriptions: dict[str, str]
    generic: str | None
    relatives: list[dict[str, str]]
    items: list[dict[str, Any]]
