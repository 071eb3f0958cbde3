"""A challenger's scores of the claims as they come, beside those that served: kept in a table of its own, without effect on any route."""

from __future__ import annotations

import json
import math
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from triage.risk import Scorer
from triage.store import Store
from triage.store.tables import shadow_score, suggestion

BATCH = 200


def score_next(store: Store, scorer: Scorer, after: int, at: str) -> int:
    """Scores the next suggestions after that id; the id of the last one seen. Raises StoreUnavailable."""
    with store.reading() as connection:
        wanted = select(suggestion.c.id, suggestion.c.claim_id, suggestion.c.body).where(suggestion.c.id > after)
        found = connection.execute(wanted.order_by(suggestion.c.id).limit(BATCH)).all()
    rows = [row for s in found if (row := _row(scorer, s.id, s.claim_id, json.loads(s.body)["risk"], at)) is not None]
    if rows:
        _keep(store, rows)
    return int(found[-1].id) if found else after


def begin_after(store: Store, scorer: Scorer) -> int:
    """Where this bundle's scores end so far."""
    with store.reading() as connection:
        kept = select(func.max(shadow_score.c.suggestion_id)).where(shadow_score.c.bundle_digest == scorer.bundle.digest)
        return int(connection.execute(kept).scalar_one() or 0)


def _row(scorer: Scorer, number: int, claim_id: str, risk: dict[str, Any], at: str) -> dict[str, Any] | None:
    """None where the features are not those the bundle needs, or give no score."""
    features, bundle = risk.get("features") or {}, scorer.bundle
    if any(name not in features for name in bundle.features):
        return None
    score = scorer.score([math.nan if features[name] is None else features[name] for name in bundle.features])
    if not 0 <= score <= 1:
        return None
    kept = {"claim_id": claim_id, "suggestion_id": number, "bundle_digest": bundle.digest, "score": score}
    return {**kept, "champion_score": risk["score"], "created_at": at}


def _keep(store: Store, rows: list[dict[str, Any]]) -> None:
    """Another worker may have kept the same ones in the meantime: then nothing is lost by leaving them."""
    try:
        with store.writing() as connection:
            connection.execute(insert(shadow_score), rows)
    except IntegrityError:
        return
