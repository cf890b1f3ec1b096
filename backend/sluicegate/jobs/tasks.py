"""Which jobs there are."""

from __future__ import annotations

from datetime import timedelta

from sluicegate.jobs.scheduler import Job
from sluicegate.services.alert_watch import AlertWatch
from sluicegate.services.alerts import AlertService
from sluicegate.services.housekeeping import Housekeeping
from sluicegate.services.mail import MailService
from sluicegate.services.rollups import RollupService
from sluicegate.services.webhooks import WebhookService

DELIVER_MAIL = "mail.deliver"
DELIVER_WEBHOOKS = "webhooks.deliver"


def housekeeping_jobs(housekeeping: Housekeeping) -> list[Job]:
    return [
        Job("sessions.remove_ended", timedelta(minutes=15), housekeeping.remove_ended_sessions),
        Job("device_sign_ins.remove_ended", timedelta(hours=1), housekeeping.remove_ended_device_sign_ins),
        Job("links.remove_dead", timedelta(hours=12), housekeeping.remove_dead_links),
        Job("policy_changes.remove_old", timedelta(hours=6), housekeeping.remove_old_changes),
        Job("secret_findings.remove_old", timedelta(hours=12), housekeeping.remove_old_findings),
        Job("invitations.note_lapsed", timedelta(minutes=10), housekeeping.note_lapsed_invitations),
    ]


def mail_jobs(mail: MailService) -> list[Job]:
    return [
        Job(DELIVER_MAIL, timedelta(seconds=30), mail.deliver_due),
        Job("mail.tidy", timedelta(hours=1), mail.tidy),
    ]


def rollup_jobs(rollups: RollupService) -> list[Job]:
    return [
        Job("usage.roll_up", timedelta(seconds=15), rollups.fold),
        Job("usage.forget", timedelta(hours=6), rollups.forget_old),
    ]


def alert_jobs(watch: AlertWatch, alerts: AlertService, webhooks: WebhookService) -> list[Job]:
    return [
        Job("alerts.look", timedelta(seconds=5), watch.look),
        Job("alerts.tidy", timedelta(hours=12), alerts.tidy),
        Job(DELIVER_WEBHOOKS, timedelta(seconds=30), webhooks.deliver_due),
        Job("webhooks.tidy", timedelta(hours=12), webhooks.tidy),
    ]
