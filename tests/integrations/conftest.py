"""What adapters are tested with: a guard that can break, and frameworks that keep to this machine."""

import os
from pathlib import Path

import pytest

from ipguard.errors import CatalogueError
from ipguard.guard import Guard

# Before they are imported: LiteLLM fetches prices, Haystack and the Agents SDK report use, LangSmith records runs.
os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    HAYSTACK_TELEMETRY_ENABLED="False",
    OPENAI_AGENTS_DISABLE_TRACING="1",
    LANGSMITH_TRACING="false",
)

NAMED = "Pikachu runs through Shibuya, 4k"
CLEAN = "a frozen lake at dawn"
CATALOGUE_TERMS = ("Pikachu", "Pokémon", "Nintendo", "pokemon")


def without_reports(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guardrails-ai reports every validation to its makers unless a file in the home folder says otherwise."""
    (folder / ".guardrailsrc").write_text("enable_metrics=false\nuse_remote_inferencing=false\n")
    monkeypatch.setenv("HOME", str(folder))


class Breakable:
    """Gives the guard of the moment; once broken, none."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.broken = guard, False

    def __call__(self) -> Guard:
        if self.broken:
            raise CatalogueError("The catalogue is gone.")
        return self.guard


@pytest.fixture
def breakable(guard) -> Breakable:
    return Breakable(guard)


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]
