r"""Every figure and picture of docs/accuracy.md, in one command.

    python benchmarks/accuracy.py --real FILE --public FILE … \
        --out benchmarks/records --images docs/images --open benchmarks/open/baselines.json

About 45 minutes of two idle cores and 4 GB with everything; the ablation takes 15 of these, the baselines 15. Parts
that are done are kept in --cache under the hashes of model, catalogue and prompts, so that a run that was broken off
goes on. Without --real there is nothing to cross-validate, without --public there are no real clean prompts: what needs
them is left out, and so are the parts that --skip names. Where the encoder of the bundle was fine-tuned,
--base-encoder names the one that it was tuned from: each fold of works then tunes its own, which has not seen them.

No text of the prompts that are not ours is printed or stored.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
from accuracy_baselines import Fit, baselines
from accuracy_plots import curve, draw
from accuracy_real import (
    ablation,
    baseline_scores,
    cell,
    cross_validate,
    folds_of,
    head_figures,
    headline,
    kind_figures,
    right_work_figures,
    style_figure,
)
from accuracy_training import Encoders, Material, finder_of, read_prompts
from accuracy_works import Later, added_and_absent, baseline_fit, failures, figures_of, fit_before, unseen_fit
from machine import describe

from ipguard import Catalogue, Guard
from ipguard.classifier.bundle import Bundle
from ipguard.evaluation.data import Example
from ipguard.evaluation.intervals import wilson
from ipguard.evaluation.run import KEYWORD_FOUND
from ipguard.evaluation.scores import guard_scores
from ipguard.evaluation.unseen import Fold, Unseen, score_unseen, work_folds
from ipguard.evaluation.written import Answers, answers
from ipguard.text.keys import text_key
from ipguard.training.run import Sources, digest
from ipguard.training.synth import GENERATED

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "open"))
from load import written as written_rows  # noqa: E402 - a folder that stands alone
from score import evaluate as open_figures  # noqa: E402

CACHE = Path(gettempdir()) / "ipguard-accuracy"
ADDED = ("added", "absent", "absent, ablated")
PARTS = ("real", "baselines", "ablation", "unseen", "added", "written-baselines")


def log(message: str) -> None:
    """Print a line with the time."""
    print(f"{datetime.now(tz=UTC):%H:%M:%S} {message}", flush=True)


class Bench:
    """Everything that is measured on, read once.

    Parameters
    ----------
    arguments
        From the command line.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.cache: Path = arguments.cache
        self.rounds: int = arguments.rounds
        labels = arguments.data / "labels"
        sources = Sources(arguments.data / "prompts", labels, arguments.real, tuple(arguments.public))
        self.catalogue = Catalogue.load()
        self.prompts = read_prompts(sources, self.catalogue, arguments.generated)
        self.bundle = Bundle.load(arguments.model)
        self.guard = Guard(model=self.bundle.folder)
        shipped = self.bundle.folder / "encoder"
        self.encoders = Encoders(
            shipped, arguments.base_encoder, arguments.epochs, self.catalogue, self.prompts, self.cache
        )
        self.rows = [
            Example(r.text, r.label, r.slice, r.works, r.lang, "written", r.id, slice=r.slice, pair=r.pair)
            for r in written_rows()
        ]
        self.clean = [e for e in self.prompts.public if e.label == "no"]

    @cached_property
    def hashes(self) -> dict[str, Any]:
        """Rows and hashes of everything that the figures rest on."""
        parts = {
            "real": self.prompts.real,
            "public": self.prompts.public,
            "own": self.prompts.own,
            "written": self.rows,
        }
        return {name: {"rows": len(own), "sha256": digest(list(own))} for name, own in parts.items()}

    @cached_property
    def material(self) -> Material:
        """All training prompts as tables, by the encoder of the bundle."""
        return self.material_of(self.encoders.shipped)

    def material_of(self, encoder: Path) -> Material:
        """Return all training prompts as tables, by one encoder."""
        return Material.make(finder_of(self.guard.compiled, encoder), self.catalogue, self.prompts, self.cache)

    @cached_property
    def accepted(self) -> Answers:
        """Works that answer each written row."""
        return answers(self.catalogue, self.rows)

    @cached_property
    def folds(self) -> list[Fold]:
        """Folds of the written rows by their works."""
        return work_folds(self.rows, self.accepted, [e.text for e in self.clean], self.arguments.work_folds)

    @cached_property
    def baselines(self) -> dict[str, Fit]:
        """What ipguard is held against; nothing is loaded where nothing of it is measured."""
        if {"baselines", "written-baselines"} <= set(self.arguments.skip):
            return {}
        plain = finder_of(self.guard.compiled, self.encoders.base or self.encoders.shipped)
        return baselines(self.guard, plain, self.cache, sentence=not self.arguments.no_sentence)

    @cached_property
    def compiled(self) -> Path:
        """The whole catalogue, compiled to a file."""
        self.cache.mkdir(parents=True, exist_ok=True)
        path = self.cache / "catalogue.bin"
        self.guard.compiled.write(path)
        return path

    def figures(self, found: Unseen) -> dict[str, Any]:
        """Return the figures of answers for the written rows, those of the open benchmark among them."""
        score = dict(zip((e.id for e in self.rows), found.rows.risk.tolist(), strict=True))
        score |= {text_key(e.text): risk for e, risk in zip(self.clean, found.clean.risk.tolist(), strict=True)}
        named = zip(self.rows, found.rows.works, strict=True)
        work = {e.id: self.catalogue.works[own].title for e, own in named if own in self.catalogue.works}
        own = figures_of(self.rows, found, self.accepted, self.catalogue, self.guard.thresholds, self.rounds)
        return own | {"open": open_figures(score, work, labels=self.arguments.data / "labels")}

    def part(self, name: str, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
        """Compute a part of the record, or read it where the same was computed before."""
        if name.partition(":")[0] in self.arguments.skip:
            return None
        given, base = self.arguments, self.encoders.base
        options = [given.generated, given.folds, given.work_folds, given.rounds, base and str(base), given.epochs]
        versions = [self.guard.model_version, self.guard.catalogue_version, self.hashes]
        key = json.dumps([name, *versions, *options])
        path = self.cache / "parts" / f"{sha256(key.encode()).hexdigest()[:16]}.json"
        if path.is_file():
            log(f"{name}: kept from before")
            return json.loads(path.read_text("utf-8"))
        log(name)
        found = function()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, ensure_ascii=False), "utf-8")
        return found


def real_part(bench: Bench) -> dict[str, Any]:
    """Return the cross-validated figures on real prompts: head, baselines, ablation."""
    real = list(bench.prompts.real)
    clusters, assigned = folds_of(real, bench.arguments.folds)
    truth = np.array([e.label == "yes" for e in real], dtype=bool)
    plain = np.array([e.label in ("yes", "no") and KEYWORD_FOUND not in e.source for e in real], dtype=bool)
    material = bench.material.far_from([e.text for e in real], keep_first=len(real))
    other = [e for e in material.table.examples[len(real) :] if e.source != GENERATED]

    def head() -> dict[str, Any]:
        found = cross_validate(material, real, assigned)
        return {
            "head": head_figures(real, found, bench.rounds),
            "headline": headline(real, found.risk, clusters, bench.rounds),
            "kinds": kind_figures(real, found, bench.guard.thresholds, bench.rounds),
            "right_work": right_work_figures(real, found, bench.guard.thresholds[0]),
            "curve": curve(truth[plain], found.risk[plain]),
        }

    def one(fit: Fit) -> dict[str, Any]:
        score = baseline_scores(fit, real, other, assigned)
        return {"headline": headline(real, score, clusters, bench.rounds), "curve": curve(truth[plain], score[plain])}

    found = {"ipguard": bench.part("real", head)}
    for name, fit in bench.baselines.items():
        found[name] = bench.part(f"baselines: {name}", lambda fit=fit: one(fit))
    found = {name: own for name, own in found.items() if own}
    ablated = bench.part(
        "ablation",
        lambda: ablation(material, real, clusters, assigned, bench.rounds, progress=lambda g: log(f"ablation: {g}")),
    )
    own = found.get("ipguard", {})
    return {
        "head": own.get("head"),
        "kinds": own.get("kinds"),
        "right_work": own.get("right_work"),
        "scorers": {name: part["headline"] for name, part in found.items()},
        "curves": {name: part["curve"] for name, part in found.items()},
        "ablation": ablated,
    }


def _clean_by_language(bench: Bench, found: Unseen) -> dict[str, Any]:
    """Share of real clean prompts above the shipped thresholds, scored by heads that had not seen them."""
    langs = np.array([e.lang for e in bench.clean])
    review, block = bench.guard.thresholds
    found_by: dict[str, Any] = {}
    for lang in sorted(set(langs.tolist())):
        risk = found.clean.risk[langs == lang]
        reviewed, blocked = (cell(wilson(int((risk >= at).sum()), len(risk))) for at in (review, block))
        found_by[lang] = {"rows": len(risk), "reviewed": reviewed, "blocked": blocked}
    return found_by


def written_part(bench: Bench) -> dict[str, Any]:
    """Return the figures on the written test sets."""
    texts, clean = [e.text for e in bench.rows], [e.text for e in bench.clean]
    thresholds = bench.bundle.manifest.thresholds

    @lru_cache(maxsize=1)
    def material(encoder: Path) -> Material:
        return bench.material_of(encoder).apart_from(texts, clean)

    def unseen() -> dict[str, Any]:
        fit = unseen_fit(material, bench.encoders, bench.compiled, thresholds)
        found = score_unseen(bench.rows, clean, bench.folds, fit, progress=lambda d, n: log(f"unseen: {d} of {n}"))
        aside = {"clean_risk": found.clean.risk.tolist(), "real_clean": _clean_by_language(bench, found)}
        return bench.figures(found) | aside

    def known(held: list[float] | None) -> dict[str, Any]:
        # Clean prompts that the bundle was trained on would set the threshold too low.
        aside = guard_scores(bench.guard, clean)
        found = Unseen(rows := guard_scores(bench.guard, texts), replace(aside, risk=np.array(held)) if held else aside)
        return bench.figures(found) | {
            "style_auroc": style_figure(bench.rows, rows.style, np.arange(len(texts)), bench.rounds),
            "failures": failures(bench.rows, rows, bench.guard.thresholds[0], 2),
        }

    def added() -> dict[str, Any]:
        def fit(fold: Fold) -> Later:
            log(f"added: {fold.number + 1} of {len(bench.folds)}")
            return fit_before(fold, bench.encoders, bench.compiled, thresholds, texts, clean)

        found = added_and_absent(bench.rows, clean, bench.folds, fit)
        return {name: bench.figures(own) for name, own in found.items()}

    def one(fit: Fit) -> dict[str, Any]:
        prompts = [e for e in material(bench.encoders.shipped).table.examples if e.source != GENERATED]
        fitted = baseline_fit(fit, prompts, bench.catalogue)
        return bench.figures(score_unseen(bench.rows, clean, bench.folds, fitted))

    found: dict[str, Any] = {"unseen": bench.part("unseen", unseen) if clean else None}
    held = (found["unseen"] or {}).pop("clean_risk", None)
    found["known"] = bench.part("known" if held else "known, clean prompts trained on", lambda: known(held))
    if clean:
        found |= bench.part("added", added) or {}
        found["baselines"] = {
            name: own
            for name, fit in bench.baselines.items()
            if (own := bench.part(f"written-baselines: {name}", lambda fit=fit: one(fit)))
        }
    return found


def take_open(written: dict[str, Any]) -> dict[str, Any]:
    """Take the figures of the open benchmark out of the written part, by scorer."""
    parts = {"ipguard, works unseen": written.get("unseen"), "ipguard, as shipped": written["known"]}
    found = {name: own["open"] for name, own in (parts | written.get("baselines", {})).items() if own}
    for own in (*parts.values(), *written.get("baselines", {}).values(), *(written.get(k) for k in ADDED)):
        (own or {}).pop("open", None)
    return found


def compact(record: dict[str, Any]) -> str:
    """Return JSON with one figure a line."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s*\n\s*", " ", m[1]) + "]", text) + "\n"


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure everything that the arguments allow.

    Parameters
    ----------
    arguments
        From the command line.

    Returns
    -------
    dict
        The record.
    """
    start, bench = time.monotonic(), Bench(arguments)
    return {
        "what": "accuracy",
        "date": datetime.now(tz=UTC).date().isoformat(),
        "model": bench.guard.model_version,
        "catalogue": bench.guard.catalogue_version,
        "thresholds": list(bench.guard.thresholds),
        "prompts": bench.hashes,
        "folds": {"real": arguments.folds, "works": arguments.work_folds},
        "encoder": "fine-tuned in each fold" if arguments.base_encoder else "as shipped in every fold",
        "real": real_part(bench) if bench.prompts.real else None,
        "written": written_part(bench),
        "minutes": round((time.monotonic() - start) / 60, 1),
        **describe(),
    }


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, help="labelled real prompts to cross-validate on")
    parser.add_argument("--public", nargs="+", default=[], help="files or datasets joined to DATA/labels")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "data", help="holds prompts/ and labels/")
    parser.add_argument("--generated", type=int, default=6000, help="prompts to generate for training")
    parser.add_argument("--folds", type=int, default=5, help="of the real prompts")
    parser.add_argument("--work-folds", type=int, default=4, help="of the works of the written sets")
    parser.add_argument("--model", type=Path, help="bundle to measure; the shipped one if none is given")
    parser.add_argument("--base-encoder", type=Path, help="encoder to fine-tune in each fold without its works")
    parser.add_argument("--epochs", type=int, default=3, help="passes of that fine-tuning")
    parser.add_argument("--rounds", type=int, default=300, help="bootstrap samples")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps features, vectors and finished parts")
    parser.add_argument("--skip", nargs="+", default=[], choices=PARTS, help="parts to leave out")
    parser.add_argument("--no-sentence", action="store_true", help="leave out the baselines that need torch")
    parser.add_argument("--out", type=Path, help="folder of records")
    parser.add_argument("--images", type=Path, help="folder of pictures")
    parser.add_argument("--open", type=Path, help="file for the open benchmark's figures by scorer")
    return parser.parse_args()


def main() -> None:
    """Measure, write a dated record, the baselines of the open benchmark, and the pictures."""
    arguments = parse()
    record = measure(arguments)
    opened = {key: record[key] for key in ("date", "model", "catalogue")} | {"scorers": take_open(record["written"])}
    if arguments.open:
        arguments.open.write_text(compact(opened), "utf-8")
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        target = arguments.out / f"{record['date']}-accuracy.json"
        target.write_text(compact(record), "utf-8")
        log(str(target))
    else:
        print(compact(record))
    if arguments.images:
        for path in draw(record, arguments.images):
            log(str(path))


if __name__ == "__main__":
    main()
