"""Every verb that the history records, as the sentence by which it is told."""

from __future__ import annotations

from rules.messages import N_

SENTENCES: dict[str, str] = {
    "installation.set_up": N_(
        "%(who)s set the installation up, with money in %(currency)s and days of %(time_zone)s."
    ),
    "installation.page_shown": N_("%(who)s had the public page shown."),
    "installation.page_hidden": N_("%(who)s had the public page hidden."),
    "person.added": N_("%(who)s opened an account for %(person)s."),
    "person.password_reset": N_("%(who)s gave %(person)s a new password."),
    "person.password_chosen": N_("%(who)s chose a new password."),
    "person.authenticator_added": N_("%(who)s uses an authenticator to sign in from now on."),
    "person.authenticator_ended": N_("%(who)s uses no authenticator to sign in any more."),
    "role.asked": N_("%(who)s asked that %(person)s be given the role %(role)s."),
    "role.granted": N_("%(who)s gave %(person)s the role %(role)s."),
    "role.ended": N_("%(who)s ended the role %(role)s of %(person)s, or that it was asked for."),
    "key.created": N_("%(who)s made the key “%(key)s”."),
    "key.rotated": N_("%(who)s made a successor of the key “%(key)s”."),
    "key.revoked": N_("%(who)s ended the key “%(key)s”."),
    "policy.drafted": N_("%(who)s began version %(version)d of the policy."),
    "policy.saved": N_("%(who)s saved version %(version)d of the policy, revision %(revision)d."),
    "policy.effect_asked": N_(
        "%(who)s asked what version %(version)d of the policy would do on %(day)s."
    ),
    "policy.submitted": N_("%(who)s submitted version %(version)d of the policy for review."),
    "policy.approved": N_("%(who)s approved version %(version)d of the policy."),
    "policy.changes_requested": N_(
        "%(who)s asked for changes to version %(version)d of the policy."
    ),
    "policy.rejected": N_("%(who)s rejected version %(version)d of the policy."),
    "policy.withdrawn": N_("%(who)s withdrew version %(version)d of the policy."),
    "policy.scheduled": N_(
        "%(who)s scheduled version %(version)d of the policy for %(day)s, %(time)s."
    ),
    "policy.held": N_(
        "Version %(version)d of the policy was due and was held back: it did not pass any more."
    ),
    "policy.superseded": N_("Version %(version)d of the policy was superseded by version %(by)d."),
    "policy.published": N_("Version %(version)d of the policy came into force."),
    "client.stated": N_("%(who)s stated what is known of %(client)s."),
    "client.decided": N_("By version %(version)d, %(client)s is served as %(tier)s on %(day)s."),
    "clients.imported": N_("%(who)s imported what is known of clients (%(clients)d)."),
    "activities.recorded": N_("%(who)s recorded activities (%(activities)d)."),
    "group.founded": N_("%(who)s founded the group %(group)s."),
    "group.changed": N_("%(who)s changed who is in the group %(group)s."),
    "measure.asked": N_("%(who)s asked for %(what)s for %(client)s, %(first)s to %(last)s."),
    "measure.granted": N_("%(who)s granted %(what)s for %(client)s, %(first)s to %(last)s."),
    "measure.refused": N_("%(who)s refused %(what)s for %(client)s."),
    "measure.withdrawn": N_("%(who)s withdrew the request of %(what)s for %(client)s."),
    "measure.ended": N_("%(who)s ended %(what)s for %(client)s."),
    "notices.issued": N_("Letters were written (%(notices)d)."),
    "notice.sent": N_("%(who)s sent a letter to %(client)s %(channel)s."),
    "job.started": N_("The service began %(job)s."),
    "job.finished": N_("The service finished %(job)s."),
    "job.failed": N_("The service failed at %(job)s."),
    "job.retried": N_("%(who)s had the service try %(job)s again."),
    "hook.added": N_("A receiver of messages was added: %(receiver)s."),
    "hook.rotated": N_("The receiver %(receiver)s was given a new secret."),
    "hook.disabled": N_("Nothing more is sent to the receiver %(receiver)s."),
    "hook.enabled": N_("Messages are sent to the receiver %(receiver)s again."),
    "hook.removed": N_("The receiver %(receiver)s was removed."),
    "hook.retried": N_("Messages to the receiver %(receiver)s were to be sent again."),
    "hook.tested": N_("A message was sent to the receiver %(receiver)s to try it."),
}

KINDS: dict[str, str] = {
    "policy": N_("The policy"),
    "client": N_("Clients"),
    "measure": N_("Holds and overrides"),
    "notice": N_("Letters"),
    "activities": N_("Activities"),
    "group": N_("Groups"),
    "person": N_("Accounts"),
    "role": N_("Roles"),
    "key": N_("Keys"),
    "hook": N_("Receivers of messages"),
    "job": N_("Jobs"),
    "installation": N_("The installation"),
}
"""What a verb's first word is said to be about; several at once where one is the other's plural."""


def verbs_about(kind: str) -> tuple[str, ...]:
    """Return the verbs about a kind of thing, one or many of them."""
    return tuple(each for each in SENTENCES if each.partition(".")[0] in (kind, f"{kind}s"))
