"""The Celery app and its static beat schedule. Every task it rings is safe to run twice; see docs/ledger.md §6."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import worker_init
from kombu import Queue

from mailsales import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailsales.settings")

app = Celery("mailsales")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_acks_late=False,
    task_ignore_result=True,
    task_queues=[Queue("fast"), Queue("bulk"), Queue("slow")],
    task_default_queue="fast",
    task_routes={
        "delivery.run_lane": {"queue": "bulk"},
        "delivery.report_tls": {"queue": "slow"},
        "delivery.read_mailbox": {"queue": "slow"},
        "delivery.forget_inbound": {"queue": "slow"},
        "delivery.check_domain": {"queue": "slow"},
        "accounts.check_blocklists": {"queue": "slow"},
        "accounts.recheck_domains": {"queue": "slow"},
        "accounts.rotate_keys": {"queue": "slow"},
        "campaigns.run_imports": {"queue": "slow"},
    },
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3_600},
    timezone="UTC",
    beat_schedule={
        "tick": {"task": "delivery.tick", "schedule": 1.0, "options": {"expires": 2}},
        "fold": {"task": "delivery.fold", "schedule": 10.0, "options": {"expires": 10}},
        "faults": {"task": "delivery.pause_refused", "schedule": 10.0, "options": {"expires": 10}},
        "sweep": {"task": "delivery.sweep", "schedule": 30.0, "options": {"expires": 30}},
        "tests": {"task": "delivery.send_tests", "schedule": 5.0, "options": {"expires": 5}},
        "notices": {"task": "delivery.send_notices", "schedule": 5.0, "options": {"expires": 5}},
        "inbound": {"task": "delivery.read_inbound", "schedule": 3.0, "options": {"expires": 3}},
        "domains": {"task": "accounts.recheck_domains", "schedule": 60.0, "options": {"expires": 60}},
        "keys": {"task": "accounts.rotate_keys", "schedule": 3_600.0, "options": {"expires": 3_600}},
        "blocklists": {"task": "accounts.check_blocklists", "schedule": 3_600.0, "options": {"expires": 3_600}},
        "mailboxes": {"task": "delivery.read_mailboxes", "schedule": 60.0, "options": {"expires": 60}},
        "forget_inbound": {"task": "delivery.forget_inbound", "schedule": 3_600.0, "options": {"expires": 3_600}},
        "imports": {"task": "campaigns.run_imports", "schedule": 5.0, "options": {"expires": 5}},
        "tls_reports": {"task": "delivery.report_tls", "schedule": 3_600.0, "options": {"expires": 3_600}},
        "strikes": {"task": "delivery.forget_strikes", "schedule": 3_600.0, "options": {"expires": 3_600}},
        "partitions": {"task": "delivery.make_partitions", "schedule": 3_600.0, "options": {"expires": 3_600}},
    },
)
app.autodiscover_tasks()


@worker_init.connect
def refuse_bad_settings(**kwargs: object) -> None:
    checks.refuse_bad_settings()
