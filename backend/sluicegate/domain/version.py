"""What may be edited by several people at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sluicegate.domain.policy import Subject


class Editable(StrEnum):
    """A thing that is edited as a whole; audit actions on it begin with the same word."""

    USER = "user"
    GROUP = "group"
    KEY = "api_key"
    PROVIDER = "provider"
    PROVIDER_MODEL = "provider_model"
    MODEL = "model"
    RATE_LIMIT = "rate_limit"
    BUDGET = "budget"
    SECRET_RULE = "secret_rule"  # noqa: S105
    SSO = "sso"
    # Nothing that is shown: whoever applies a policy file holds it, so that they do so one after the other.
    POLICY_FILE = "policy_file"


@dataclass(frozen=True, slots=True)
class Edited:
    """One such thing. Its version is 0 until it is first edited and grows by one with each edit; limits and budgets
    belong to a subject, by kind and id."""

    what: Editable
    id: str

    @classmethod
    def limits_of(cls, subject: Subject) -> Edited:
        return cls(Editable.RATE_LIMIT, f"{subject.kind}:{subject.id}")

    @classmethod
    def budget_of(cls, subject: Subject) -> Edited:
        return cls(Editable.BUDGET, f"{subject.kind}:{subject.id}")
