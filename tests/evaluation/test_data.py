"""Labelled data, known by the hash of its text."""

import hashlib
import json

import pytest

from ipguard.errors import DataError
from ipguard.evaluation.data import StoredLabel, join, public_texts, read_examples, read_labels
from ipguard.text.keys import text_key


def test_the_key_is_the_sha256_of_the_nfc_stripped_text():
    assert text_key("  cafe\u0301 ") == hashlib.sha256("café".encode()).hexdigest()


def test_read_examples_leaves_skips_out_and_names_bad_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": "no"}\n\n{"text": "b", "label": "skip"}\n', "utf-8")
    assert [e.text for e in read_examples(tmp_path)] == ["a"]
    path.write_text('{"text": "a", "label": "perhaps"}\n', "utf-8")
    with pytest.raises(DataError, match=r"a\.jsonl:1"):
        read_examples(path)
    with pytest.raises(DataError, match=r"none\.jsonl"):
        read_examples(tmp_path / "none.jsonl")


def test_labels_join_by_hash_each_text_once(tmp_path):
    key = text_key("Pikachu")
    (tmp_path / "l.jsonl").write_text(json.dumps({"sha256": key, "label": "yes", "works": ["Pokémon"]}) + "\n", "utf-8")
    labels = read_labels(tmp_path)
    assert labels[key] == StoredLabel(key, "yes", "none", ("Pokémon",))
    rows = [{"text": " Pikachu ", "source_repo": "r"}, {"text": "Pikachu"}, {"text": "other"}, {"text": None}]
    joined = join(rows, labels)
    assert [(e.label, e.works, e.source) for e in joined] == [("yes", ("Pokémon",), "r")]


def test_public_texts_reads_local_files_through_datasets(tmp_path):
    pytest.importorskip("datasets", reason="the extra 'train' is not installed")
    (tmp_path / "a.jsonl").write_text('{"prompt": "one", "id": "1"}\n{"prompt": "two", "id": "2"}\n', "utf-8")
    assert [row["text"] for row in public_texts(tmp_path, column="prompt")] == ["one", "two"]


def test_our_own_prompts_keep_to_their_own_rules():
    from pathlib import Path

    folder = Path(__file__).parents[2] / "data" / "prompts"
    rows = read_examples(folder)
    assert len(rows) >= 3000
    assert len({text_key(r.text) for r in rows}) == len(rows)
    by_label = {label: [len(r.text) for r in rows if r.label == label] for label in ("yes", "no")}
    mean = {label: sum(sizes) / len(sizes) for label, sizes in by_label.items()}
    assert 0.7 < mean["yes"] / mean["no"] < 1.4, "length must not give the label away"
    assert all(r.works for r in rows if r.label in ("yes", "style"))
    assert not any(r.works for r in rows if r.label in ("no", "brand"))
    kinds = {r.kind for r in rows}
    assert kinds >= {"homograph", "lookalike", "public_domain", "mention", "negation", "obfuscated", "described"}


def test_stored_labels_hold_no_text():
    from pathlib import Path

    for path in (Path(__file__).parents[2] / "data" / "labels").glob("*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            assert set(json.loads(line)) <= {"sha256", "label", "kind", "works"}
