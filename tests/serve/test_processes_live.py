"""What changes while the service runs: policy, rules, keys, catalogue; and what is recorded."""

import json
from datetime import UTC, datetime

import pytest
from serve_process import until

from ipguard.catalogue.build import compile_catalogue
from ipguard.errors import PolicyError, RegistryError, ServeError
from ipguard.policy.registry import Registry
from ipguard.policy.registry.tables import decisions
from ipguard.policy.rules import Rule
from ipguard.serve import ServeSettings, create_app
from ipguard.serve.loading import load

PERMIT = '{"rules": [{"effect": "permit", "reason": "licensed", "work": "pokemon"}]}'


def decision(client, prompt="Pikachu in the rain", **options):
    return client.post("/v1/score", json={"prompt": prompt}, **options).json()["results"][0]["decision"]


def replace(path, content):
    other = path.with_suffix(".new")
    other.write_bytes(content if isinstance(content, bytes) else content.encode())
    other.replace(path)


def errors(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_a_policy_file_is_taken_up_and_a_bad_one_is_not(serving, tmp_path, caplog):
    path = tmp_path / "policy.json"
    path.write_text("{}")
    client = serving(policy=str(path))
    before = client.get("/readyz").json()["policy_version"]
    assert decision(client) == "block"
    replace(path, PERMIT)
    until(lambda: decision(client) == "allow")
    assert client.get("/readyz").json()["policy_version"] != before
    for bad in ('{"rules": [', '{"rules": [{"effect": "block", "work": "no-such-work"}]}', b"\xff", '{"review": 2}'):
        caplog.clear()
        replace(path, bad)
        until(lambda: errors(caplog))
        state = client.get("/readyz").json()["policy"]
        assert state["healthy"] is False
        assert decision(client) == "allow", "the last good policy holds"
    replace(path, "{}")
    until(lambda: decision(client) == "block")
    text = client.get("/metrics").text
    assert 'ipguard_reloads_total{outcome="done",what="policy"} 2.0' in text
    assert 'ipguard_reloads_total{outcome="failed",what="policy"} 0.0' not in text


def test_no_start_without_a_good_policy_or_keys(loaded, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text('{"rules": [{"effect": "block", "work": "no-such-work"}]}')
    with pytest.raises(PolicyError, match="no-such-work"):
        create_app(ServeSettings(policy=str(path)), loaded=loaded)
    with pytest.raises(PolicyError, match="cannot be read"):
        create_app(ServeSettings(policy=str(tmp_path / "none.json")), loaded=loaded)
    with pytest.raises(ServeError, match="cannot be read"):
        create_app(ServeSettings(keys=str(tmp_path / "none.txt")), loaded=loaded)
    with pytest.raises(RegistryError):
        create_app(ServeSettings(database=str(tmp_path / "nowhere" / "r.db")), loaded=loaded)


def test_keys_come_and_go(serving, key_file, caplog):
    path, keys = key_file
    client = serving(keys=str(path))
    lines = path.read_text()
    replace(path, "\n".join(line for line in lines.splitlines() if "the-read" not in line))
    until(lambda: client.get("/metrics", headers=keys["read"]).status_code == 401)
    replace(path, "nonsense")
    until(lambda: errors(caplog))
    assert client.get("/metrics", headers=keys["policy"]).status_code == 200, "a bad file leaves the keys as they were"
    replace(path, lines)
    until(lambda: client.get("/metrics", headers=keys["read"]).status_code == 200)


NEW_WORK = "# brand-new | Zorblax Quest | game | 2026 | JP | Zorblax Inc | protected\n= en:o:Zorblax Quest\n"


@pytest.fixture
def catalogue_file(small, tmp_path):
    path = tmp_path / "catalogue.bin"
    compile_catalogue(small).write(path)
    return path


def catalogue_client(serving, path, **settings):
    settings = {"catalogue": str(path), "poll": 0.05, **settings}
    return serving(given=load(ServeSettings(**settings)), **settings)


def test_a_catalogue_is_taken_up_and_a_bad_one_is_not(serving, small, catalogue_file, caplog):
    client = catalogue_client(serving, catalogue_file, watch_catalogue=True)
    assert decision(client, "Zorblax Quest poster") == "allow"
    assert client.get("/v1/works/brand-new").status_code == 404
    compile_catalogue(small.add(NEW_WORK)).write(catalogue_file)
    until(lambda: decision(client, "Zorblax Quest poster") == "block")
    assert client.get("/v1/works/brand-new").json()["title"] == "Zorblax Quest"
    replace(catalogue_file, catalogue_file.read_bytes()[:-100])
    until(lambda: errors(caplog))
    assert decision(client, "Zorblax Quest poster") == "block"
    text = client.get("/metrics").text
    for outcome in ("done", "failed"):
        assert f'ipguard_reloads_total{{outcome="{outcome}",what="catalogue"}} 1.0' in text
    versions = [line for line in text.splitlines() if line.startswith("ipguard_version") and 'what="catalogue"' in line]
    assert [line[-3:] for line in versions] == ["1.0"], "the old version is not in use any more"


def test_a_catalogue_that_lacks_what_the_policy_names_is_not_taken_up(serving, small, catalogue_file, tmp_path, caplog):
    policy = tmp_path / "policy.json"
    policy.write_text('{"rules": [{"effect": "permit", "work": "brand-new"}]}')
    compile_catalogue(small.add(NEW_WORK)).write(catalogue_file)
    client = catalogue_client(serving, catalogue_file, watch_catalogue=True, policy=str(policy))
    compile_catalogue(small).write(catalogue_file)
    until(lambda: errors(caplog))
    assert "brand-new" in errors(caplog)[0]
    assert decision(client, "Zorblax Quest poster") == "allow"
    assert client.get("/v1/works/brand-new").status_code == 200


def test_a_worker_that_starts_later_has_the_catalogue_of_now(serving, small, catalogue_file):
    given = load(ServeSettings(catalogue=str(catalogue_file)))
    compile_catalogue(small.add(NEW_WORK)).write(catalogue_file)
    client = serving(given=given, catalogue=str(catalogue_file))
    until(lambda: decision(client, "Zorblax Quest poster") == "block")


@pytest.fixture
def registry(tmp_path):
    with Registry(tmp_path / "rules.db") as opened:
        yield opened


def test_rules_over_http(serving, registry, tmp_path, key_file):
    path, keys = key_file
    client = serving(keys=str(path), policy=str(tmp_path / "rules.db"))
    client.headers.update(keys["policy"])
    assert client.get("/v1/policy/rules").json()["rules"] == []
    body = {"effect": "permit", "reason": "licensed", "work": "pokemon", "since": "2026-01-01", "territories": []}
    added = client.post("/v1/policy/rules", json=body)
    assert added.status_code == 201, added.text
    assert added.json()["added_by"] == "the-policy"
    until(lambda: decision(client) == "allow")
    (held,) = registry.rules()
    assert (held.id, held.rule.work, str(held.rule.since)) == (added.json()["id"], "pokemon", "2026-01-01")
    assert client.get("/v1/policy/rules", params={"effect": "block"}).json()["rules"] == []
    (listed,) = client.get("/v1/policy/rules", params={"work": "pokemon"}).json()["rules"]
    assert listed == added.json()
    assert client.delete(f"/v1/policy/rules/{held.id}").json()["work"] == "pokemon"
    until(lambda: decision(client) == "block")
    gone = client.delete(f"/v1/policy/rules/{held.id}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "no_such_rule")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"effect": "block", "work": "no-such-work"}, "invalid_rule"),
        ({"effect": "block", "item": "pikachu"}, "invalid_request"),
        ({"effect": "forbid"}, "invalid_request"),
        ({"effect": "block", "since": "yesterday"}, "invalid_request"),
        ({"effect": "block", "territories": ["Japan"]}, "invalid_request"),
        ({"effect": "block", "review": 0.9, "block": 0.1}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
def test_bad_rules_are_refused(serving, registry, tmp_path, key_file, body, code):
    path, keys = key_file
    client = serving(keys=str(path), policy=str(tmp_path / "rules.db"))
    refused = client.post("/v1/policy/rules", json=body, headers=keys["policy"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert registry.rules() == []


def test_what_is_not_allowed_is_recorded(serving, registry, tmp_path, key_file):
    path, keys = key_file
    client = serving(keys=str(path), database=str(tmp_path / "rules.db"))
    started = datetime.now(tz=UTC)
    sent = {"headers": {**keys["read"], "X-Request-ID": "r-1"}}
    client.post("/v1/score", json={"prompts": ["a lake", "Pikachu in the rain"]}, **sent)
    client.post("/v1/moderations", json={"input": "Goku"}, headers=keys["end_user"])
    params = {"threshold": 0.0}
    guardrail = {"texts": ["a lake"], "input_type": "request", "additional_provider_specific_params": params}
    client.post("/beta/litellm_basic_guardrail_api", json=guardrail, headers=keys["read"])
    until(lambda: len(registry.audit.decisions()) == 3)
    third, second, first = registry.audit.decisions()
    assert (first.request_id, first.caller, first.decision, first.prompt) == ("r-1", "the-read", "block", None)
    assert first.matches[0]["work_id"] == "pokemon"
    assert first.at >= started
    assert first.policy_version == client.get("/readyz").json()["policy_version"]
    assert (second.caller, second.matches[0]["work_id"]) == ("the-end_user", "dragon-ball")
    assert (third.decision, third.rule, third.reason_code) == ("block", "threshold:request", "threshold")


def test_texts_are_recorded_where_that_is_wanted(serving, registry, tmp_path):
    decision(serving(database=str(tmp_path / "rules.db"), log_prompts=True))
    until(lambda: [record.prompt for record in registry.audit.decisions()] == ["Pikachu in the rain"])


def test_a_record_that_is_required_and_fails_makes_the_request_fail(serving, registry, tmp_path, caplog):
    client = serving(database=str(tmp_path / "rules.db"), audit="required", timeout=4)
    assert decision(client) == "block"
    assert len(registry.audit.decisions()) == 1
    with registry._database.writing() as connection:
        decisions.drop(connection)
    refused = client.post("/v1/score", json={"prompt": "Pikachu in the rain"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
    assert decision(client, "a lake") == "allow", "nothing needs to be recorded of it"
    state = client.get("/readyz")
    assert (state.status_code, state.json()["status"]) == (503, "not recording")


def test_the_end_waits_for_records(loaded, registry, tmp_path):
    from starlette.testclient import TestClient

    app = create_app(ServeSettings(database=str(tmp_path / "rules.db")), loaded=loaded)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        client.post("/v1/score", json={"prompts": ["Pikachu in the rain"] * 200})
    assert len(registry.audit.decisions(limit=None)) == 200


def test_rules_in_a_file_cannot_be_changed_over_http(serving, tmp_path, key_file):
    (tmp_path / "policy.json").write_text(json.dumps({"rules": []}))
    path, keys = key_file
    client = serving(keys=str(path), policy=str(tmp_path / "policy.json"))
    refused = client.post("/v1/policy/rules", json={"effect": "block"}, headers=keys["policy"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "no_registry")


def test_a_rule_of_the_registry_names_itself_in_the_verdict(serving, registry, tmp_path):
    registry.add(Rule("block", reason="opted_out", work="one-piece"))
    client = serving(policy=str(tmp_path / "rules.db"))
    (result,) = client.post("/v1/score", json={"prompt": "ルフィが海で踊る"}).json()["results"]
    assert (result["decision"], result["reason_code"]) == ("block", "opted_out")
    assert "opted_out:block:work=one-piece" in result["rule"]
