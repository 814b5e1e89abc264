"""The component in a real Haystack pipeline."""

import pytest

pytest.importorskip("haystack", reason="the extra 'haystack' is not installed")

from haystack import Pipeline

from ipguard.errors import InvalidArgumentError
from ipguard.integrations import Check
from ipguard.integrations.haystack import PromptGuard
from tests.integrations.conftest import CATALOGUE_TERMS, CLEAN, NAMED


def test_prompts_are_parted(guard):
    pipeline = Pipeline()
    pipeline.add_component("guard", PromptGuard(Check(guard)))
    done = pipeline.run({"guard": {"prompts": [CLEAN, NAMED]}})["guard"]
    assert done["allowed"] == [CLEAN]
    (refused,) = done["refused"]
    assert (refused["prompt"], refused["status"], refused["reason_code"]) == (NAMED, "refused", "named_franchise")
    assert not any(term in refused["sentence"] for term in CATALOGUE_TERMS)


def test_options_survive_a_pipeline_file():
    pipeline = Pipeline()
    pipeline.add_component("guard", PromptGuard(refuse="review", lang="ja"))
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["ipguard.integrations.haystack"])
    assert again.dumps() == pipeline.dumps()
    (refused,) = again.run({"guard": {"prompts": [NAMED]}})["guard"]["refused"]
    assert not refused["sentence"].isascii()


def test_a_check_cannot_be_written_to_a_file(guard):
    with pytest.raises(InvalidArgumentError, match="check"):
        PromptGuard(Check(guard)).to_dict()


def test_a_guard_that_breaks_refuses(breakable):
    component = PromptGuard(Check(breakable))
    breakable.broken = True
    assert component.run([CLEAN])["allowed"] == []
