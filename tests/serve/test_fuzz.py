"""Nothing that is sent makes the service fail: every answer to nonsense is a 4xx with a message."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipguard.policy.registry import Registry
from ipguard.serve import ServeSettings, create_app

POSTS = ("/v1/score", "/v1/moderations", "/v1/rewrite", "/beta/litellm_basic_guardrail_api", "/v1/policy/rules")
JSON = {"Content-Type": "application/json"}
DEEP = 100_000
BODIES = {
    "empty": b"",
    "deep list": b"[" * DEEP,
    "deep list, closed": b"[" * DEEP + b"]" * DEEP,
    "deep object": b'{"prompt":' * DEEP,
    "deep value": b'{"prompt":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "no JSON": b"hello",
    "invalid UTF-8": b'{"prompt": "\xff\xfe"}',
    "overlong UTF-8": b'{"prompt": "\xc0\xaf"}',
    "UTF-16": '{"prompt": "x"}'.encode("utf-16"),
    "lone surrogate": b'{"prompt": "\\ud800", "input": "\\ud800", "texts": ["\\udfff"], "input_type": "request"}',
    "surrogates in the wrong order": b'{"prompt": "\\udc00\\ud800", "input": "\\udc00\\ud800"}',
    "raw NUL": b'{"prompt": "\0", "input": "\0"}',
    "escaped NUL": b'{"prompt": "\\u0000", "input": "\\u0000", "texts": ["\\u0000"], "input_type": "request"}',
    "NaN": b'{"prompt": "x", "input": NaN, "threshold": NaN}',
    "huge number": b'{"prompt": ' + b"9" * 5000 + b', "input": 1}',
    "infinite": b'{"prompt": 1e999, "input": 1e999, "texts": 1e999}',
    "twice": b'{"prompt": "x"}{"prompt": "x"}',
    "10 MB": b'{"prompt": "' + b"x" * 10_000_000 + b'"}',
    "many keys": json.dumps({f"k{n}": n for n in range(50_000)}).encode(),
    "surrogate in a key": b'{"\\ud800": 1}',
    "astral key": '{"😀": 1}'.encode(),
}


def check(response, least=400):
    assert least <= response.status_code < 500, (response.status_code, response.text[:300])
    if response.status_code >= 400:
        assert response.json()["error"]["message"]
        assert len(response.content) < 2000, "an error does not send back what it was sent"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_bodies(client, path, body):
    check(client.post(path, content=body, headers=JSON))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "prompt", "prompts", "input", "texts", "images", "tool_calls", "input_type", "additional_provider_specific_params",
    "purpose", "allow", "territory", "audience", "lang", "negative_prompt", "effect", "work", "since", "territories",
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(POSTS), body=anything | st.dictionaries(st.sampled_from(FIELDS), anything, max_size=5))
def test_values_of_any_type(client, path, body):
    check(client.post(path, content=json.dumps(body).encode(), headers=JSON), least=200)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), query=st.text(max_size=60))
def test_paths_and_queries(client, text, query):
    check(client.get("/v1/catalogue/search", params={"q": query.encode("utf-8", "replace").decode()}), least=200)
    check(client.get("/v1/works/" + "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "replace"))), least=200)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "-1"}, {"Content-Length": "x"}, {"Content-Length": "9" * 400},
        {"Content-Type": "application/json; charset=\xff"}, {"Content-Type": "\xff"}, {"Authorization": "\xff"},
        {"Accept-Language": "ja;q=x,;;;,en;q=nan,\xff"}, {"X-Request-ID": "\r"},
    ],
)  # fmt: skip
def test_headers(client, headers):
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    raw += [] if "Content-Type" in headers else [(b"content-type", b"application/json")]
    response = client.post("/v1/score", content=b'{"prompt": "x"}', headers=raw)
    check(response, least=200)


def test_the_document_of_the_interface_holds(loaded, key_file, tmp_path):
    """What schemathesis makes of the OpenAPI document never makes the service fail."""
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
    path, keys = key_file
    Registry(tmp_path / "rules.db").close()
    app = create_app(ServeSettings(keys=str(path), policy=str(tmp_path / "rules.db")), loaded=loaded)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    checks = (
        schemathesis.checks.not_a_server_error,
        schemathesis.checks.status_code_conformance,
        schemathesis.checks.content_type_conformance,
    )
    seen = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        seen.add(operation.label)

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(
            case=operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
        )
        def run(case):
            case.call_and_validate(headers=keys["policy"], checks=checks)

        run()
    assert {"POST /v1/score", "POST /v1/policy/rules", "DELETE /v1/policy/rules/{rule_id}", "GET /metrics"} <= seen
