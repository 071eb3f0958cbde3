"""What may go wrong at the store, in both languages; `zh` and `en` say what to do."""

from __future__ import annotations


class StoreError(Exception):
    """Base of the store's errors."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


class ClaimNotFound(StoreError):
    """No claim has this id."""

    def __init__(self, claim_id: str) -> None:
        super().__init__(f"没有案件 {claim_id}，请核对案件号", f"there is no claim {claim_id}: check the id")


class DuplicateClaim(StoreError):
    """The claim id is taken."""

    def __init__(self, claim_id: str) -> None:
        super().__init__(f"案件号 {claim_id} 已存在：补充材料请提交到该案件", f"claim {claim_id} exists already: send further papers to it")


class UnknownPlan(StoreError):
    """The rulebook has no such plan."""

    def __init__(self, plan: str, known: str) -> None:
        super().__init__(f"未知计划 {plan}，可用：{known}", f"unknown plan {plan}, known: {known}")


class StoreUnavailable(StoreError):
    """The database cannot be written or reached; nothing was kept of the request."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"案件库暂不可写，本次未保存任何内容，请恢复后重试（{cause}）",
            f"the claim store cannot be written; nothing of this request was kept, try again once it is restored ({cause})",
        )


class NoStore(StoreError):
    """Nothing is at the address, or it is none."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"{address}: 没有该案件库，请核对地址（sqlite:///… 或 postgresql://…）",
            f"{address}: there is no such claim store: check the URL (sqlite:///… or postgresql://…)",
        )


class IdempotencyMismatch(StoreError):
    """An Idempotency-Key came back with other content."""

    def __init__(self, key: str) -> None:
        super().__init__(f"幂等键 {key} 已用于不同内容，请换一个", f"Idempotency-Key {key} was used with other content: choose another")


class DecisionRefused(StoreError):
    """A decision that must not be taken as things stand."""


class StaleSuggestion(StoreError):
    """The decision was made on a suggestion that is no longer the current one."""

    def __init__(self, claim_id: str) -> None:
        super().__init__(
            f"案件 {claim_id} 的建议已更新，请重新查看后再决定", f"the suggestion for {claim_id} has changed: look again before deciding"
        )


class BadField(StoreError):
    """A field whose value does not fit; `field` names it."""

    def __init__(self, field: str, zh: str, en: str) -> None:
        super().__init__(f"{field}: {zh}", f"{field}: {en}")
        self.field = field
