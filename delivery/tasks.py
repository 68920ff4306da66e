"""Celery tasks: shells around functions elsewhere. Each is safe to run twice and beside itself; what rings them is in
`mailsales/celery.py` and in `delivery/queue.py`."""

from __future__ import annotations

import mmap

from celery import current_app, shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down
from django.conf import settings

from delivery import (
    domain_holds,
    faults,
    imap,
    inbound,
    notices,
    partitions,
    queue,
    strikes,
    testing,
    tlsrpt_sending,
    worker,
)
from mailsales.doorbell import ring

SHUTTING_DOWN = mmap.mmap(-1, 1)  # shared with the processes forked later: SIGTERM reaches only the first


@shared_task(name="delivery.tick")
def tick() -> None:
    queue.tick()


@shared_task(name="delivery.fan_out")
def fan_out(campaign_id: int) -> None:
    if queue.fan_out(campaign_id):
        ring("delivery.fan_out", campaign_id)


@shared_task(name="delivery.run_lane")
def run_lane(campaign_id: int, slot: int, epoch: int) -> None:
    following = worker.current(_is_stopping).run_lane(campaign_id, slot, epoch)
    if following is not None:
        ring("delivery.run_lane", campaign_id, slot, following)


@shared_task(name="delivery.sweep")
def sweep() -> None:
    queue.sweep()


@shared_task(name="delivery.fold")
def fold() -> None:
    queue.fold()


@shared_task(name="delivery.pause_refused")
def pause_refused() -> None:
    faults.pause_refused()


@shared_task(name="delivery.forget_strikes")
def forget_strikes() -> None:
    strikes.forget()


@shared_task(name="delivery.send_tests")
def send_tests() -> None:
    if testing.send_next():
        ring("delivery.send_tests")


@shared_task(name="delivery.send_notices")
def send_notices() -> None:
    if notices.send_next():
        ring("delivery.send_notices")


@shared_task(name="delivery.check_domain")
def check_domain(domain_id: int) -> None:
    domain_holds.check(domain_id)


@shared_task(name="delivery.read_inbound")
def read_inbound() -> None:
    if inbound.read_new():
        ring("delivery.read_inbound")


@shared_task(name="delivery.forget_inbound")
def forget_inbound() -> None:
    if inbound.forget():
        ring("delivery.forget_inbound")


@shared_task(name="delivery.read_mailboxes")
def read_mailboxes() -> None:
    imap.ring_due()


@shared_task(name="delivery.read_mailbox")
def read_mailbox(mailbox_id: int) -> None:
    if imap.read_mailbox(mailbox_id):
        ring("delivery.read_mailbox", mailbox_id)


@shared_task(name="delivery.report_tls")
def report_tls(after: str = "") -> None:
    if following := tlsrpt_sending.send_slice(after):
        ring("delivery.report_tls", following)


@shared_task(name="delivery.make_partitions")
def make_partitions() -> None:
    partitions.make_ahead()


def _is_stopping() -> bool:
    return SHUTTING_DOWN[0] > 0


@worker_process_init.connect
def _begin_worker(**kwargs: object) -> None:
    if "bulk" in current_app.amqp.queues.consume_from:
        worker.keep(_is_stopping)


@worker_shutting_down.connect
def _tell_lanes(**kwargs: object) -> None:
    SHUTTING_DOWN[0] = 1


@worker_process_shutdown.connect
def _end_worker(**kwargs: object) -> None:
    worker.stop_current(settings.STOP_SECONDS)
