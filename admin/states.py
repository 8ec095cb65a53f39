"""How the states of a version are said by themselves, as tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.models import Approval, PolicyVersion
from rules.messages import N_

TAGS: Mapping[str, tuple[str, str]] = {
    "draft": (N_("Draft"), ""),
    "in_review": (N_("In review"), "brand"),
    "changes_requested": (N_("Changes requested"), "warn"),
    "approved": (N_("Approved"), "brand"),
    "scheduled": (N_("Scheduled"), "brand"),
    "in_force": (N_("In force"), "good"),
    "superseded": (N_("Superseded"), ""),
    "rejected": (N_("Rejected"), "bad"),
    "withdrawn": (N_("Withdrawn"), ""),
    "held": (N_("Held back"), "bad"),
}
"""How the state of a version is said by itself, and in which colour."""

DECIDED: Mapping[str, str] = {
    "approved": N_("Approved"),
    "changes_requested": N_("Changes requested"),
    "rejected": N_("Rejected"),
}
"""What a reviewer decided, by itself."""


def tag(version: PolicyVersion, approvals: Sequence[Approval]) -> tuple[str, str]:
    """Return how a version's state is said by itself; a draft sent back says so."""
    if version.state == "draft" and approvals and approvals[-1].verdict == "changes_requested":
        return TAGS["changes_requested"]
    return TAGS[version.state]
