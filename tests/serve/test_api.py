"""Requests and answers of the application."""

import re

import pytest

from ipguard.serve import schemas
from ipguard.serve.routes.moderation import STOCK

LITELLM = "/beta/litellm_basic_guardrail_api"


def problem(response, status, code):
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message", "type", "param", "request_id"}
    assert error["request_id"] == response.headers["x-request-id"]
    return error


class TestScore:
    def test_one_prompt_in_full(self, client, guard):
        answer = client.post("/v1/score", json={"prompt": "😀 Pikachu in the rain"}).json()
        schemas.ScoreAnswer.model_validate(answer, strict=True)
        (result,) = answer["results"]
        verdict = guard.score("😀 Pikachu in the rain")
        assert result["risk"] == pytest.approx(verdict.risk, abs=1e-5)
        assert {key: result[key] for key in ("decision", "rule", "reason_code")} == {
            "decision": "block", "rule": verdict.rule, "reason_code": verdict.reason_code,
        }  # fmt: skip
        match = result["matches"][0]
        assert (match["text"], match["start"], match["start_utf16"], match["end_utf16"]) == ("Pikachu", 2, 3, 10)
        assert "Nintendo" in match["rights_holder_names"]
        assert result["thresholds"]["block"] == guard.thresholds[1]

    def test_several_in_order(self, client):
        prompts = ["a lake", "Pikachu", "白いワンピースの少女", "", "ルフィとワンピース"]
        results = client.post("/v1/score", json={"prompts": prompts}).json()["results"]
        assert [r["flagged"] for r in results] == [False, True, False, False, True]
        assert results[3]["reason_code"] == "empty"

    def test_options_reach_the_guard(self, client):
        def decision(**options):
            return client.post("/v1/score", json={"prompt": "Pikachu", **options}).json()["results"][0]["decision"]

        assert decision() == "block"
        assert decision(allow=["pokemon"], territory="JP", purpose="image", negative_prompt="blurry") == "allow"

    @pytest.mark.parametrize(("header", "lang"), [("ja,en;q=0.5", "ja"), ("en-GB, ja;q=0.9", "en"), ("de", "en")])
    def test_end_users_are_told_neither_work_nor_risk(self, client, header, lang):
        body = {"prompt": "Pikachu in the rain", "audience": "end_user"}
        response = client.post("/v1/score", json=body, headers={"Accept-Language": header})
        (result,) = response.json()["results"]
        assert set(result) == {"decision", "flagged", "reason_code", "message"}
        assert not re.search("pika|pok|ポケ|nintendo", response.text, re.IGNORECASE)
        assert bool(re.search("[ぁ-ん]", result["message"])) == (lang == "ja")

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({}, None),
            ({"prompt": "x", "prompts": ["x"]}, None),
            ({"prompts": []}, "prompts"),
            ({"prompt": 5}, "prompt"),
            ({"prompts": ["x", None]}, "prompts.1"),
            ({"prompt": "x", "purpose": "audio"}, "purpose"),
            ({"prompt": "x", "territory": "Japan"}, "territory"),
            ({"prompt": "x", "allow": ["no-such-work"]}, "allow"),
            ({"prompt": "x", "threshold": 0.5}, "threshold"),
            ({"prompts": ["x"], "negative_prompt": "y"}, None),
            ({"prompt": "a\0b"}, "prompt"),
            ([], None),
        ],
    )
    def test_what_breaks_a_rule_is_refused_by_name(self, client, body, param):
        error = problem(client.post("/v1/score", json=body), 400, "invalid_request")
        assert error["param"] == param

    def test_too_many_prompts(self, serving):
        client = serving(max_prompts=3)
        assert client.post("/v1/score", json={"prompts": ["x"] * 3}).status_code == 200
        error = problem(client.post("/v1/score", json={"prompts": ["x"] * 4}), 400, "too_many_prompts")
        assert "at most 3" in error["message"]

    def test_a_prompt_too_long_is_at_least_reviewed(self, client):
        (result,) = client.post("/v1/score", json={"prompt": "a lake. " * 20_000}).json()["results"]
        assert (result["truncated"], result["decision"]) == (True, "review")


class TestModerations:
    def test_openai_shape(self, client, guard):
        answer = client.post("/v1/moderations", json={"input": ["Pikachu", "a lake"], "model": "any"}).json()
        schemas.ModerationAnswer.model_validate(answer, strict=True)
        assert answer["model"] == guard.model_version
        flagged, clean = answer["results"]
        for result in (flagged, clean):
            assert set(result["categories"]) == set(result["category_scores"]) == {*STOCK, "intellectual-property"}
            assert not any(result["categories"][name] for name in STOCK)
            assert result["category_applied_input_types"]["intellectual-property"] == ["text"]
        assert flagged["flagged"]
        assert flagged["categories"]["intellectual-property"]
        assert not clean["flagged"]
        assert flagged["category_scores"]["intellectual-property"] == pytest.approx(
            guard.score("Pikachu").risk, abs=1e-5
        )
        assert flagged["ipguard"]["matches"][0]["work_id"] == "pokemon"

    def test_parts_are_one_input(self, client):
        parts = [{"type": "text", "text": "a lake"}, {"type": "text", "text": "Pikachu"}]
        (result,) = client.post("/v1/moderations", json={"input": parts}).json()["results"]
        assert result["flagged"]
        assert result["ipguard"]["matches"][0]["start"] == 7

    def test_images_are_refused(self, client):
        parts = [{"type": "text", "text": "a lake"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]
        assert problem(client.post("/v1/moderations", json={"input": parts}), 400, "images_not_supported")

    @pytest.mark.parametrize(
        "value", [None, 5, [], [5], [["x"]], [{"type": "audio"}], [{"text": "x"}], {"type": "text"}]
    )
    def test_other_inputs_are_refused(self, client, value):
        error = problem(client.post("/v1/moderations", json={"input": value}), 400, "invalid_request")
        assert error["param"].startswith("input")


class TestLitellm:
    def post(self, client, **body):
        body = {"input_type": "request", "request_data": {}, "structured_messages": [], **body}
        response = client.post(LITELLM, json=body)
        assert response.status_code == 200, response.text
        schemas.GuardrailAnswer.model_validate(response.json(), strict=True)
        return response.json()

    def test_blocks_and_passes(self, client):
        assert self.post(client, texts=["a lake"]) == {"action": "NONE"}
        blocked = self.post(client, texts=["a lake", "Pikachu in the rain"])
        assert blocked["action"] == "BLOCKED"
        assert blocked["blocked_reason"].endswith("(named_franchise)")
        assert "pika" not in blocked["blocked_reason"].lower()

    def test_nothing_to_check(self, client):
        assert self.post(client, texts=None, images=None) == {"action": "NONE"}

    def test_images_are_decided_by_the_setting(self, client, serving):
        refused = self.post(client, texts=["a lake"], images=["https://x/y.png"])
        assert (refused["action"], refused["blocked_reason"][-8:]) == ("BLOCKED", "(images)")
        ignoring = serving(images="ignore")
        assert self.post(ignoring, texts=["a lake"], images=["https://x/y.png"]) == {"action": "NONE"}
        assert self.post(ignoring, texts=["Pikachu"], images=["https://x/y.png"])["action"] == "BLOCKED"

    def test_responses_and_tool_calls_are_read(self, client):
        assert self.post(client, texts=["Here is Pikachu, drawn in ink."], input_type="response")["action"] == "BLOCKED"

    @pytest.mark.parametrize(
        "arguments",
        [
            '{"prompt": "Pikachu in the rain"}',
            '{"a": [{"b": "\\u30d4\\u30ab\\u30c1\\u30e5\\u30a6"}]}',
            "not JSON: Pikachu in the rain",
            {"prompt": "Pikachu in the rain"},
            '"Pikachu in the rain"',
        ],
    )
    def test_arguments_of_tool_calls_are_read(self, client, arguments):
        call = {"function": {"name": "draw", "arguments": arguments}}
        assert self.post(client, tool_calls=[{"function": None}, {}, call])["action"] == "BLOCKED"
        clean = {"function": {"name": "draw", "arguments": '{"prompt": "a lake", "n": 1}'}}
        assert self.post(client, tool_calls=[clean])["action"] == "NONE"

    def test_thresholds_of_the_caller(self, client, guard):
        prompt = "ルフィが海で踊る"
        risk = guard.score(prompt).risk
        assert guard.thresholds[0] <= risk < guard.thresholds[1], "the prompt is one to be reviewed"

        def action(**params):
            return self.post(client, texts=[prompt], additional_provider_specific_params=params)["action"]

        assert action() == "NONE"
        assert action(block_on="review") == "BLOCKED"
        assert action(threshold=risk - 0.01) == "BLOCKED"
        assert action(threshold=risk + 0.01) == "NONE"
        assert action(threshold=risk + 0.01, block_on="review") == "NONE"
        assert action(threshold=0.0) == "BLOCKED"

    def test_a_text_not_read_to_its_end_is_blocked_whatever_the_threshold(self, client):
        params = {"threshold": 1.0}
        long = self.post(client, texts=["a lake. " * 20_000], additional_provider_specific_params=params)
        assert (long["action"], long["blocked_reason"][-11:]) == ("BLOCKED", "(truncated)")

    def test_a_misspelt_parameter_is_no_silent_default(self, client):
        body = {"input_type": "request", "texts": ["x"], "additional_provider_specific_params": {"treshold": 0.5}}
        error = problem(client.post(LITELLM, json=body), 400, "invalid_request")
        assert error["param"] == "additional_provider_specific_params.treshold"


class TestCatalogue:
    def test_search_in_any_language(self, client):
        for query in ("Pikachu", "ピカチュウ", "皮卡丘", "pikachu"):
            answer = client.get("/v1/catalogue/search", params={"q": query, "limit": 1}).json()
            schemas.SearchAnswer.model_validate(answer)
            assert answer["works"][0]["id"] == "pokemon"
            assert answer["works"][0]["name"]

    def test_pages_of_all_works(self, client, guard):
        seen = []
        for offset in (0, 50):
            answer = client.get("/v1/catalogue/search", params={"offset": offset, "limit": 50}).json()
            seen += [work["id"] for work in answer["works"]]
        assert len(set(seen)) == 100
        assert answer["total"] == len(guard.compiled.meta.works)
        games = client.get("/v1/catalogue/search", params={"medium": "game", "limit": 50}).json()
        assert all("game" in work["media"] for work in games["works"])
        assert client.get("/v1/catalogue/search", params={"q": "qwxzzy no such"}).json()["total"] == 0

    def test_a_work(self, client):
        work = client.get("/v1/works/pokemon").json()
        schemas.WorkAnswer.model_validate(work)
        names = {name["text"]: name for item in work["items"] for name in item["names"]}
        assert names["ピカチュウ"]["lang"] == "ja"
        assert names["Pikachu"]["sense"] == "only"
        problem(client.get("/v1/works/nothing-of-that-id"), 404, "no_such_work")

    @pytest.mark.parametrize("query", ["q=%00", "limit=0", "limit=101", "offset=-1", "limit=x"])
    def test_queries_are_checked(self, client, query):
        problem(client.get(f"/v1/catalogue/search?{query}"), 400, "invalid_request")


def test_rewrite(client, guard):
    done = client.post("/v1/rewrite", json={"prompt": "Pikachu in the rain"}).json()
    schemas.RewriteAnswer.model_validate(done, strict=True)
    assert "Pikachu" not in done["text"]
    assert done["decision"] == guard.score(done["text"]).decision == "allow"


class TestFrame:
    def test_request_ids(self, client):
        assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
        for bad in ("a b", "x" * 200, "é"):
            given = client.get("/healthz", headers={"X-Request-ID": bad.encode()}).headers["x-request-id"]
            assert re.fullmatch("[0-9a-f]{32}", given)

    def test_no_other_origin_may_read(self, client):
        response = client.options(
            "/v1/score", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        )
        assert not [name for name in response.headers if name.startswith("access-control")]

    def test_every_answer_is_closed_to_scripts_of_others(self, client):
        for path in ("/", "/static/app.js", "/healthz", "/nothing"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"

    def test_paths_and_methods(self, client):
        problem(client.get("/nothing"), 404, "not_found")
        problem(client.get("/v1/score"), 405, "method_not_allowed")

    def test_only_json(self, client):
        problem(client.post("/v1/score", content=b"{}", headers={"Content-Type": "text/plain"}), 415, "not_json")

    def test_too_large_by_head_and_by_body(self, serving):
        client = serving(max_body=1000)
        body = b'{"prompt": "' + b"x" * 2000 + b'"}'
        json = {"Content-Type": "application/json"}
        problem(client.post("/v1/score", content=body, headers=json), 413, "too_large")
        problem(client.post("/v1/score", content=iter([body[:500], body[500:]]), headers=json), 413, "too_large")

    def test_too_slow(self, serving):
        client = serving(timeout=0.001)
        error = problem(client.post("/v1/score", json={"prompts": ["a lake " * 2000] * 20}), 504, "timeout")
        assert error["type"] == "server_error"

    def test_busy(self, serving):
        client = serving(max_prompts=2, queue=2)
        client.app.state.service.scorer.pending = 1
        response = client.post("/v1/score", json={"prompts": ["x", "y"]})
        problem(response, 503, "overloaded")
        assert response.headers["retry-after"] == "1"

    def test_a_failure_of_the_service_says_nothing_of_itself(self, serving, monkeypatch):
        client = serving()
        monkeypatch.setattr(client.app.state.service, "judge", None)
        error = problem(client.post("/v1/score", json={"prompt": "x"}), 500, "internal")
        assert "NoneType" not in error["message"]

    def test_only_this_machine_without_keys(self, client):
        for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "[::1", "8.8.8.8", ""):
            problem(client.get("/metrics", headers={"Host": host}), 403, "keys_needed")
        for host in ("localhost:1", "127.0.0.1", "[::1]:8080", "LOCALHOST"):
            assert client.get("/metrics", headers={"Host": host}).status_code == 200
        problem(client.get("/v1/policy/rules"), 403, "role_needed")


class TestKeys:
    def test_roles(self, serving, key_file):
        path, keys = key_file
        client = serving(keys=str(path))
        paths = {"/v1/catalogue/search": 200, "/metrics": 200, "/v1/policy/rules": 404}
        for role, allowed in (("end_user", 0), ("read", 2), ("policy", 3)):
            for place, (name, status) in enumerate(paths.items()):
                assert client.get(name, headers=keys[role]).status_code == (status if place < allowed else 403)

    def test_end_user_keys_get_answers_for_end_users(self, serving, key_file):
        path, keys = key_file
        client = serving(keys=str(path))
        body = {"prompt": "Pikachu", "audience": "operator"}
        (result,) = client.post("/v1/score", json=body, headers=keys["end_user"]).json()["results"]
        assert "matches" not in result
        moderated = client.post("/v1/moderations", json={"input": "Pikachu"}, headers=keys["end_user"]).json()
        assert set(moderated["results"][0]["ipguard"]) == {"decision", "flagged", "reason_code", "message"}

    def test_missing_and_wrong(self, serving, key_file):
        path, keys = key_file
        client = serving(keys=str(path))
        response = client.post("/v1/score", json={"prompt": "x"})
        problem(response, 401, "key_needed")
        assert response.headers["www-authenticate"] == "Bearer"
        for headers in ({"Authorization": "Bearer ipg_x"}, {"X-API-Key": "ipg_x"}):
            problem(client.post("/v1/score", json={"prompt": "x"}, headers=headers), 401, "invalid_key")
        key = keys["read"]["Authorization"].removeprefix("Bearer ")
        assert client.get("/metrics", headers={"X-API-Key": key}).status_code == 200
        assert client.get("/metrics", headers={"Authorization": f"bearer {key}"}).status_code == 200

    def test_open_to_all(self, serving, key_file):
        client = serving(keys=str(key_file[0]))
        for path in ("/", "/static/app.css", "/healthz", "/readyz", "/openapi.json"):
            assert client.get(path).status_code == 200


def test_a_dead_thread_is_told(serving):
    client = serving()
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    client.app.state.service.scorer.stop()
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 503
    assert client.get("/readyz").json()["status"] == "not scoring"


def test_figures(serving):
    client = serving()
    client.post("/v1/score", json={"prompts": ["Pikachu", "a lake"]})
    client.post("/v1/score", json={})
    text = client.get("/metrics").text
    assert 'ipguard_decisions_total{decision="block",reason_code="named_franchise"} 1.0' in text
    assert 'ipguard_errors_total{code="invalid_request"} 1.0' in text
    assert 'ipguard_http_requests_total{method="POST",route="/v1/score",status="200"} 1.0' in text
    assert re.search(r'ipguard_version\{version="[^"]+",what="catalogue"\} 1.0', text)
    assert "ipguard_scored_prompts_total 2.0" in text
    for number in range(3):
        client.request(f"MADEUP{number}", "/healthz")
    assert client.get("/metrics").text.count('ipguard_http_requests_total{method="other"') == 1


def test_the_log_has_no_prompt_unless_asked_for(serving, caplog):
    caplog.set_level("INFO", "ipguard.serve.access")
    serving().post("/v1/score", json={"prompt": "Pikachu in a secret place"})
    assert "secret" not in str([vars(record) for record in caplog.records])
    record = caplog.records[-1]
    assert (record.path, record.status, record.prompts, record.decisions) == ("/v1/score", 200, 1, {"block": 1})
    serving(log_prompts=True).post("/v1/score", json={"prompt": "Pikachu in a secret place"})
    assert caplog.records[-1].texts == ["Pikachu in a secret place"]
