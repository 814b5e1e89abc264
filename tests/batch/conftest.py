"""Helpers for files of rows."""

import csv
import io
import json

import pytest


def read_csv(path, delimiter=",", encoding="utf-8"):
    with path.open(encoding=encoding, newline="") as stream:
        return list(csv.reader(stream, delimiter=delimiter))


def csv_bytes(rows, delimiter=",", encoding="utf-8"):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue().encode(encoding)


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


PROMPTS = [
    "Pikachu in the rain",
    "a quiet lake at dawn",
    None,
    'He said "ピカチュウ"\nand left, slowly',
    "None",
    "Pikachu in the rain",
]


@pytest.fixture
def prompts():
    return list(PROMPTS)
