"""The middleware before real Starlette applications, driven through httpx, and as a bare ASGI callable."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.errors import InvalidArgumentError
from ipguard.integrations import Check
from ipguard.integrations.asgi import PromptGuardMiddleware
from tests.integrations.conftest import CATALOGUE_TERMS, CLEAN, NAMED

JSON_HEADERS = [(b"content-type", b"application/json")]


class Echo:
    """An application that answers with the body it was given, and counts its calls."""

    def __init__(self):
        self.calls = 0

    async def __call__(self, _, receive, send):
        self.calls += 1
        parts = []
        while True:
            message = await receive()
            parts.append(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"".join(parts)})


def request(app, body=b"", *, path="/draw", method="POST", headers=JSON_HEADERS, chunk=None, kind="http", root=""):
    """One request to an ASGI application: the status and the body of its answer, or the messages it sent."""
    chunks = [body] if not chunk else [body[at : at + chunk] for at in range(0, len(body), chunk)]
    incoming = [{"type": "http.request", "body": c, "more_body": at + 1 < len(chunks)} for at, c in enumerate(chunks)]
    incoming.append({"type": "http.disconnect"})
    sent = []

    async def receive():
        return incoming.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "root_path": root, "headers": headers}
    asyncio.run(app(scope, receive, send))
    if kind != "http":
        return sent
    return (sent[0]["status"], sent[1]["body"]) if sent else (None, b"")


def body_of(**members) -> bytes:
    return json.dumps(members).encode()


@pytest.fixture
def echo():
    return Echo()


def guarded(echo, guard, **options):
    return PromptGuardMiddleware(echo, check=options.pop("check", None) or Check(guard), **options)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_clean_request_reaches_the_application_to_the_byte(echo, guard, chunk):
    body = b'{ "prompt" : "' + CLEAN.encode() + b'", "n": 1.0 }\n'
    assert request(guarded(echo, guard), body, chunk=chunk) == (200, body)


@pytest.mark.parametrize("chunk", [None, 3])
def test_a_refused_prompt_never_reaches_it_and_the_answer_is_neutral(echo, guard, chunk):
    status, answer = request(guarded(echo, guard), body_of(prompt=NAMED), chunk=chunk)
    assert (status, echo.calls) == (400, 0)
    assert json.loads(answer)["error"]["code"] == "named_franchise"
    assert not any(term in answer.decode() for term in CATALOGUE_TERMS)


@pytest.mark.parametrize(
    ("accepted", "japanese"),
    [(b"ja,en;q=0.5", True), (b"ja-JP", True), (b"en-GB,ja", False), (b"fr, ja;q=0.3", True), (b"", False)],
)
def test_the_answer_is_in_the_language_asked_for(echo, guard, accepted, japanese):
    headers = [*JSON_HEADERS, (b"accept-language", accepted)]
    _, answer = request(guarded(echo, guard), body_of(prompt=NAMED), headers=headers)
    assert json.loads(answer)["error"]["message"].isascii() is not japanese


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "unreadable"),
        (b"{", 400, "unreadable"),
        (b'{"prompt": "\xff"}', 400, "unreadable"),
        (b"[" * 100_000, 400, "unreadable"),
        (b'{"prompt": "Pikachu", "prompt": "a lake"}', 400, "unreadable"),
        (b'{"a": [{"b": 1, "b": 2}], "prompt": "a lake"}', 400, "unreadable"),
        (b'{"text": "Pikachu"}', 400, "no_prompt"),
        (b'{"prompt": null}', 400, "no_prompt"),
        (b'"Pikachu"', 400, "no_prompt"),
        (b'{"prompt": 3}', 400, "not_text"),
        (b'{"prompt": {"deep": "Pikachu"}}', 400, "not_text"),
        (b'{"prompt": ["a lake", "Pikachu"]}', 400, "named_franchise"),
        (b'{"prompt": "\\u0050ikachu"}', 400, "named_franchise"),
        (b'{"prompt": "' + b"a" * 2000 + b'"}', 413, "too_large"),
    ],
)
def test_what_cannot_be_checked_does_not_get_through(echo, guard, body, status, code):
    found, answer = request(guarded(echo, guard, max_bytes=2000 if status == 413 else 1_000_000), body)
    assert (found, json.loads(answer)["error"]["code"], echo.calls) == (status, code, 0)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"multipart/form-data; boundary=x")],
        [(b"Content-Type", b"application/json"), (b"content-type", b"application/x-www-form-urlencoded")],
        [*JSON_HEADERS, (b"content-encoding", b"gzip")],
    ],
)
def test_bodies_that_another_reader_may_read_otherwise_are_refused(echo, guard, headers):
    status, _ = request(guarded(echo, guard), body_of(prompt=CLEAN), headers=headers)
    assert (status, echo.calls) == (415, 0)


@pytest.mark.parametrize("kind", [b"application/json; charset=utf-8", b"Application/JSON", b"application/vnd.x+json"])
def test_json_is_known_by_its_media_type(echo, guard, kind):
    assert request(guarded(echo, guard), body_of(prompt=CLEAN), headers=[(b"content-type", kind)])[0] == 200


def test_a_guard_that_breaks_lets_nothing_through(echo, breakable):
    app = PromptGuardMiddleware(echo, check=Check(breakable))
    breakable.broken = True
    status, answer = request(app, body_of(prompt=CLEAN))
    assert (status, json.loads(answer)["error"]["code"], echo.calls) == (503, "not_checked", 0)
    assert b"catalogue" not in answer


def test_a_guard_that_breaks_lets_all_through_only_if_told_to(echo, breakable):
    app = PromptGuardMiddleware(echo, check=Check(breakable, fail="open"))
    breakable.broken = True
    assert request(app, body_of(prompt=CLEAN))[0] == 200
    assert request(app, b"{")[0] == 400


def test_fields_lead_through_objects_and_lists(echo, guard):
    app = guarded(echo, guard, fields=("input.prompt", "messages.content"))
    assert request(app, body_of(input={"prompt": NAMED}))[0] == 400
    assert request(app, body_of(input=[{"prompt": CLEAN}, {"prompt": NAMED}]))[0] == 400
    assert request(app, body_of(messages=[{"role": "user", "content": [{"type": "text", "text": NAMED}]}]))[0] == 400
    assert request(app, body_of(messages=[{"role": "user", "content": CLEAN}], prompt=NAMED))[0] == 200
    assert request(app, body_of(prompt=CLEAN))[0] == 400


def test_only_the_paths_and_methods_asked_for_are_guarded(echo, guard):
    app = guarded(echo, guard, paths=(r"/v\d/images/.*", "/draw"), status=422)
    body = body_of(prompt=NAMED)
    assert request(app, body)[0] == 422
    assert request(app, body, path="/v1/images/generations")[0] == 422
    assert request(app, body, path="/api/draw", root="/api")[0] == 422
    assert request(app, body, path="/drawings")[0] == 200
    assert request(app, body, method="GET")[0] == 200


def test_a_websocket_on_a_guarded_path_is_closed(echo, guard):
    assert request(guarded(echo, guard), kind="websocket")[0] == {"type": "websocket.close", "code": 1008}
    assert echo.calls == 0


def test_a_client_that_leaves_early_gets_no_answer(echo, guard):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/draw", "headers": JSON_HEADERS}
    asyncio.run(guarded(echo, guard)(scope, receive, send))
    assert (sent, echo.calls) == ([], 0)


@pytest.mark.parametrize(
    ("option", "value"),
    [("fields", "prompt"), ("fields", ()), ("paths", "/draw"), ("methods", "POST"), ("status", 200)],
)
def test_arguments_are_checked(echo, guard, option, value):
    with pytest.raises(InvalidArgumentError, match=option):
        guarded(echo, guard, **{option: value})


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=6) | st.just(NAMED),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["prompt", "a", "text"]), inner),
    max_leaves=8,
)


@given(values)
def test_a_name_anywhere_under_the_field_is_never_let_through(guard, value):
    status, _ = request(guarded(Echo(), guard), body_of(prompt=value))
    assert status == 400 or NAMED not in json.dumps(value)


def test_starlette_reads_the_body_behind_it(guard):
    pytest.importorskip("starlette", reason="starlette is not installed")
    pytest.importorskip("httpx", reason="httpx is not installed")
    import httpx
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def draw(request):
        return JSONResponse({"drawn": (await request.json())["prompt"]})

    app = Starlette(
        routes=[Route("/draw", draw, methods=["POST"])],
        middleware=[Middleware(PromptGuardMiddleware, check=Check(guard), paths=("/draw",))],
    )

    async def both():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return [await client.post("/draw", json={"prompt": prompt}) for prompt in (CLEAN, NAMED)]

    passed, refused = asyncio.run(both())
    assert passed.json() == {"drawn": CLEAN}
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "named_franchise")
