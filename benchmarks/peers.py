"""Speed and accuracy of ipguard beside what one would use instead, in one run on the same prompts.

    python benchmarks/peers.py LABELLED SPEED [--minilm FOLDER] [--out benchmarks/records]

LABELLED is JSON Lines as ``ipguard eval`` takes them; what learns is cross-validated on it, in the folds that
``ipguard train`` makes: no scorer is asked about a prompt that it saw, a near-duplicate, or one with a work of its
training prompts. SPEED is JSON Lines with a column ``text``; scorers take turns over slices of it, each prompt once.
Only figures are printed, never a text. A scorer whose library is not installed is named, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from cases import read_cases, wrong
from machine import describe
from scorers import Float, Peer, Scorer, peers

from ipguard import Guard
from ipguard.classifier.bundle import default_bundle
from ipguard.encoding.static import MODULE
from ipguard.evaluation.clusters import balanced_folds, duplicate_clusters, fold_groups
from ipguard.evaluation.data import Example, read_examples
from ipguard.evaluation.run import slices

ROUNDS, FOLDS = 4, 5
HEADLINE = "without keyword-found rows"
METRICS = ("auroc", "recall@1%", "recall@3%")


def out_of_fold(peer: Peer, examples: list[Example]) -> Float:
    """Scores of prompts by a scorer that learned from the other folds."""
    texts = [example.text for example in examples]
    risky = np.array([example.label == "yes" for example in examples])
    known = np.array([example.label in ("yes", "no") for example in examples])
    groups = fold_groups(examples, duplicate_clusters(texts))
    folds = balanced_folds(groups, risky, FOLDS)
    out = np.zeros(len(texts))
    for fold in range(FOLDS):
        train, test = np.flatnonzero((folds != fold) & known), np.flatnonzero(folds == fold)
        scorer = peer.make()
        scorer.fit([texts[at] for at in train], risky[train])
        out[test] = scorer.scores([texts[at] for at in test])
    return out


def accuracy(peer: Peer, scorer: Scorer, examples: list[Example]) -> dict[str, Any] | None:
    """Figures on the labelled prompts; ours as cross-validated when the bundle was trained."""
    if peer.name == "ipguard":
        scores = json.loads((default_bundle() / "manifest.json").read_text("utf-8"))["scores"][HEADLINE]
        return {name: scores[name] for name in METRICS}
    if peer.most and not peer.learns:
        return None
    texts = [example.text for example in examples]
    score = out_of_fold(peer, examples) if peer.learns else scorer.scores(texts)
    part = next(p for p in slices(examples, score, probability=False, rounds=200, by=()) if p.name == HEADLINE)
    return {n: [f.value, f.low, f.high] for n in METRICS if part.figures and (f := part.figures[n])}


def seconds(ready: list[tuple[Peer, Scorer]], texts: list[str]) -> dict[str, dict[str, float]]:
    """Microseconds a prompt of each, by the clock and of processor time, in turns over slices of the prompts."""
    spent = {peer.name: [0.0, 0.0, 0] for peer, _ in ready}
    for turn in range(ROUNDS):
        for peer, scorer in ready:
            own = texts[turn::ROUNDS]
            own = own[: peer.most // ROUNDS] if peer.most else own
            start, used = time.perf_counter(), time.process_time()
            scorer.scores(own)
            clock, processor, asked = time.perf_counter() - start, time.process_time() - used, len(own)
            spent[peer.name] = [a + b for a, b in zip(spent[peer.name], (clock, processor, asked), strict=True)]
    return {
        name: {
            "clock_us": round(clock / asked * 1e6, 1),
            "processor_us": round(processor / asked * 1e6, 1),
            "prompts": asked,
        }
        for name, (clock, processor, asked) in spent.items()
    }


def main() -> None:
    """Measure, print, and write a dated record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("speed", type=Path)
    parser.add_argument("--minilm", help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--only", default="", help="part of a name: an environment of its own holds llm-guard")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    guard = Guard()
    for case in read_cases():
        if complaint := wrong(case, guard.score_many([prompt.text for prompt in case.prompts])):
            sys.exit(complaint)
    examples = read_examples(arguments.labelled)
    labelled = [example for example in examples if example.label in ("yes", "no")]
    texts = [json.loads(line)["text"] for line in arguments.speed.read_text("utf-8").splitlines()[: arguments.rows]]
    ready, missing = [], {}
    for peer in peers(guard, default_bundle() / "encoder" / MODULE, arguments.minilm):
        if arguments.only not in peer.name and peer.name != "ipguard":
            continue
        try:
            scorer = peer.make()
        except ImportError as error:
            missing[peer.name] = f"not installed: {error}"
            continue
        if peer.learns:
            scorer.fit([e.text for e in labelled], np.array([e.label == "yes" for e in labelled]))
        ready.append((peer, scorer))
    rows: dict[str, dict[str, Any]] = dict(seconds(ready, texts))
    print(json.dumps(rows, indent=1), flush=True)
    for peer, scorer in ready:
        rows[peer.name]["accuracy"] = accuracy(peer, scorer, examples)
        print(peer.name, rows[peer.name]["accuracy"], flush=True)
    record = {
        "what": "peers",
        "labelled": arguments.labelled.name,
        "speed": arguments.speed.name,
        "slice": HEADLINE,
        "peers": rows,
        "missing": missing,
        "load_average": os.getloadavg()[0],
        "model": guard.model_version,
        "catalogue": guard.catalogue_version,
        **describe(),
    }
    if arguments.out:
        day = datetime.now(tz=UTC).date().isoformat()
        target = arguments.out / f"{day}-peers{'-' if arguments.only else ''}{arguments.only}.json"
        target.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
