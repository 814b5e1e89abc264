"""Reasons and codes."""


def test_reasons_say_what_spoke_for_a_name(guard):
    reasons = {
        "p1k4chu with a party hat": "with digits for letters",
        "P i k a c h u": "spelled with gaps",
        "my dog dressed as Pikachu": "asked for by the words around it",
        "a street in the style of Pokémon": "asked for as a style",
    }
    for prompt, words in reasons.items():
        assert any(words in match.reason for match in guard.score(prompt).matches), prompt


def test_the_reason_code_holds_no_term_of_the_catalogue(guard):
    for prompt in ("Pikachu", "a lake", "Goku and Vegeta fight", ""):
        code = guard.score(prompt).reason_code
        assert code in {"named_franchise", "described_franchise", "unlisted_franchise", "clear", "empty"}


def test_matches_come_with_the_highest_risk_first(guard):
    for prompt in ("Goku and Pikachu share ramen", "Link pulling the master sword in a foggy forest"):
        risks = [match.risk for match in guard.score(prompt).matches]
        assert risks == sorted(risks, reverse=True)
