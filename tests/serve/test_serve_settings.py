"""Settings from arguments and the environment."""

from dataclasses import fields

import pytest

from ipguard.errors import InvalidArgumentError
from ipguard.serve.settings import ServeSettings


def test_variables_and_arguments():
    variables = {
        "IPGUARD_TIMEOUT": "2.5", "IPGUARD_QUEUE": "300", "IPGUARD_LOG_PROMPTS": "yes", "IPGUARD_IMAGES": "ignore",
        "IPGUARD_POLICY": "", "IPGUARD_REVIEW": "0.2",
    }  # fmt: skip
    found = ServeSettings.from_environment(variables, queue=400, images=None)
    assert (found.timeout, found.queue, found.log_prompts, found.images) == (2.5, 400, True, "ignore")
    assert (found.policy, found.review) == (None, 0.2)
    assert ServeSettings.from_environment({}) == ServeSettings()


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"IPGUARD_TIMEOUT": "soon"}, "IPGUARD_TIMEOUT"),
        ({"IPGUARD_MAX_BODY": "1.5"}, "IPGUARD_MAX_BODY"),
        ({"IPGUARD_WATCH_CATALOGUE": "perhaps"}, "IPGUARD_WATCH_CATALOGUE"),
        ({"IPGUARD_TIMEOUT": "0"}, "timeout"),
        ({"IPGUARD_DRAIN": "-1"}, "drain"),
        ({"IPGUARD_QUEUE": "10"}, "queue"),
        ({"IPGUARD_IMAGES": "pass"}, "images"),
        ({"IPGUARD_AUDIT": "required"}, "audit"),
    ],
)
def test_what_breaks_a_rule_is_named(variables, name):
    with pytest.raises(InvalidArgumentError) as error:
        ServeSettings.from_environment(variables)
    assert error.value.argument == name


def test_the_registry_is_the_database_or_the_policy():
    assert ServeSettings(policy="policy.json").registry is None
    assert ServeSettings(policy="sqlite:///r.db").registry == "sqlite:///r.db"
    assert ServeSettings(policy="rules.sqlite").registry == "rules.sqlite"
    assert ServeSettings(policy="rules.sqlite", database="other.db").registry == "other.db"
    assert ServeSettings(policy="policy.json", database="other.db").registry == "other.db"


def test_every_setting_is_documented():
    assert all(f"{field.name}" in (ServeSettings.__doc__ or "") for field in fields(ServeSettings))
