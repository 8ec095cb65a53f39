"""The tables."""

from __future__ import annotations

from app.models.base import Base
from app.models.clients import (
    Activity,
    AttributeValue,
    Client,
    ContactPerson,
    Decision,
    Standing,
    StandingEvent,
)
from app.models.effects import Effect, EffectMove
from app.models.groups import Group, Membership
from app.models.history import HistoryEntry, HistoryHead, HistoryInput, Subject
from app.models.hooks import HookDelivery, HookMessage, HookReceiver
from app.models.jobs import Job
from app.models.measures import Measure
from app.models.notices import Notice
from app.models.people import (
    Attempts,
    BrowserSession,
    Installation,
    Key,
    Person,
    Repeatable,
    RoleGrant,
)
from app.models.places import FixedPlace
from app.models.policies import Approval, PolicyRevision, PolicyVersion

__all__ = [
    "Activity",
    "Approval",
    "Attempts",
    "AttributeValue",
    "Base",
    "BrowserSession",
    "Client",
    "ContactPerson",
    "Decision",
    "Effect",
    "EffectMove",
    "FixedPlace",
    "Group",
    "HistoryEntry",
    "HistoryHead",
    "HistoryInput",
    "HookDelivery",
    "HookMessage",
    "HookReceiver",
    "Installation",
    "Job",
    "Key",
    "Measure",
    "Membership",
    "Notice",
    "Person",
    "PolicyRevision",
    "PolicyVersion",
    "Repeatable",
    "RoleGrant",
    "Standing",
    "StandingEvent",
    "Subject",
]
