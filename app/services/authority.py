"""Who may do what: roles of people, scopes of keys, and who is acting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.services.errors import NotAllowed
from rules.messages import N_, Listed, Message


class Role(StrEnum):
    """What somebody with an account does here."""

    EDITOR = "editor"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    MANAGER = "manager"
    FRONT_DESK = "front_desk"


ROLES: dict[str, str] = {
    "editor": N_("editor"),
    "approver": N_("approver"),
    "auditor": N_("auditor"),
    "administrator": N_("administrator"),
    "manager": N_("manager"),
    "front_desk": N_("front desk"),
}


class Permission(StrEnum):
    """What a use case asks for; reading and writing apart."""

    READ_POLICY = "read_policy"
    DRAFT_POLICY = "draft_policy"
    REVIEW_POLICY = "review_policy"
    READ_CLIENTS = "read_clients"
    ASK_MEASURE = "ask_measure"
    GRANT_MEASURE = "grant_measure"
    SEND_NOTICES = "send_notices"
    READ_HISTORY = "read_history"
    MANAGE_ACCOUNTS = "manage_accounts"


_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.EDITOR: frozenset(
        {
            Permission.READ_POLICY,
            Permission.DRAFT_POLICY,
            Permission.READ_CLIENTS,
            Permission.ASK_MEASURE,
        }
    ),
    Role.APPROVER: frozenset(
        {
            Permission.READ_POLICY,
            Permission.REVIEW_POLICY,
            Permission.READ_CLIENTS,
            Permission.GRANT_MEASURE,
        }
    ),
    Role.AUDITOR: frozenset(
        {Permission.READ_POLICY, Permission.READ_CLIENTS, Permission.READ_HISTORY}
    ),
    Role.ADMINISTRATOR: frozenset({Permission.READ_POLICY, Permission.MANAGE_ACCOUNTS}),
    Role.MANAGER: frozenset(
        {
            Permission.READ_POLICY,
            Permission.READ_CLIENTS,
            Permission.ASK_MEASURE,
            Permission.SEND_NOTICES,
        }
    ),
    Role.FRONT_DESK: frozenset({Permission.READ_POLICY, Permission.READ_CLIENTS}),
}

SECONDED = frozenset({Role.EDITOR, Role.APPROVER, Role.ADMINISTRATOR})
"""Roles that one administrator asks for and another grants."""

RULING = frozenset({Role.EDITOR, Role.APPROVER})
"""Roles that no administrator may have."""


KNOWING = (Permission.ASK_MEASURE, Permission.GRANT_MEASURE, Permission.READ_HISTORY)
"""Of which one is needed to read why a hold or an override was asked for, and by whom.

A counter is told what is in force and no more.
"""


class Scope(StrEnum):
    """What a key of the API may be used for."""

    STANDING_READ = "standing:read"
    CLIENTS_WRITE = "clients:write"
    ACTIVITIES_WRITE = "activities:write"
    EVALUATE_FACTS = "evaluate:facts"
    EVALUATE_CLIENT = "evaluate:client"
    POLICY_READ = "policy:read"
    DECISIONS_READ = "decisions:read"
    HISTORY_READ = "history:read"
    METRICS_READ = "metrics:read"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting; ``name`` is how the history names them, never by their own name."""

    name: str
    person_id: int | None = None
    roles: frozenset[Role] = frozenset()

    def may(self, *permissions: Permission) -> bool:
        """Tell whether one of the person's roles gives one of these permissions."""
        return any(_PERMISSIONS[role].intersection(permissions) for role in self.roles)

    def require(self, *permissions: Permission) -> int:
        """Return the person's id if one of their roles gives one of these permissions.

        :raises NotAllowed: if none does, or it is no person who acts.
        """
        if self.person_id is not None and self.may(*permissions):
            return self.person_id
        able = [role for role in Role if _PERMISSIONS[role].intersection(permissions)]
        raise NotAllowed(
            "This takes the role %(roles)s, which you do not have.",
            roles=Listed(tuple(Message(ROLES[role]) for role in able), "or"),
        )


SYSTEM = Actor("system")
"""The service itself: what it does by the clock, and what its operator has it do."""
