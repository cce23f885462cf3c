"""Whatever is killed, and whenever: no receipt is false, nothing is lost, nothing is double."""

from __future__ import annotations

import http.client

import pytest

from .conftest import FIRM, complaint, head, until


def test_receipts_hold_when_the_web_process_is_killed_again_and_again(house, writers):
    house.start("worker")
    with writers:
        for _ in writers.moments(5):
            house.kill("web")
            house.start("web")
        writers.more(20)
    assert 0 in writers.statuses, "no client noticed; the kills proved nothing"
    writers.hold_true()
    until(house.work_is_done, "the jobs")
    house.nothing_is_lost(writers.journal)


def test_jobs_happen_once_when_the_worker_is_killed_again_and_again(house, writers):
    house.start("worker")
    with writers:
        for _ in writers.moments(5):
            done = _letters(house)
            until(lambda done=done: _letters(house) > done, "the worker to be at work")
            house.kill("worker")
            house.let_a_minute_pass()
            house.start("worker")
        writers.more(20)
    writers.hold_true()
    until(house.work_is_done, "the jobs")
    assert house.rows("SELECT count(*) FROM effect WHERE consumer = 'letters.acknowledgement'") == [
        (len(writers.receipts),)
    ]
    house.nothing_is_lost(writers.journal)


def _letters(house):
    return house.rows("SELECT count(*) FROM effect")[0][0]


def test_the_site_heals_itself_when_the_database_is_killed_under_it(house, writers):
    house.start("worker")
    with writers:
        # A worker that starts while the server is away would start, and keep, one of its own.
        until(lambda: _letters(house), "the worker to be at work")
        for _ in writers.moments(3):
            house.kill_postmaster()
            assert house.ended("db") != 0, "nobody would start the server again"
            refused = house.file("meanwhile")
            assert (refused.status, refused.body["code"]) == (503, "unavailable")
            house.start("db")
        writers.more(20)
    assert 503 in writers.statuses
    assert 0 not in writers.statuses, "the site hung up on somebody instead of answering"
    assert house.alive("web")
    assert house.alive("worker")
    writers.hold_true()
    house.let_a_minute_pass()
    until(house.work_is_done, "the jobs")
    house.nothing_is_lost(writers.journal)


def test_a_site_killed_inside_the_transaction_leaves_no_trace_of_it(house, writers):
    house.kill("web")
    house.start("web", HUIYIN_FAILPOINT="outbox.after_insert:kill")
    assert house.file("a").status == 0
    assert house.ended("web") == -9
    assert house.rows("SELECT count(*) FROM case_file") == [(0,)]
    house.start("web")
    writers._deliver("a", "10.9.9.1")
    writers.file.close()
    assert house.rows("SELECT idem_key, number FROM case_file") == [
        ("a", writers.receipts["a"]["number"])
    ]
    house.nothing_is_lost(writers.journal)


def test_a_client_that_hung_up_gets_its_receipt_at_the_next_try(house, writers):
    for key in (f"gone-{n}" for n in range(12)):
        connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
        connection.request(
            "POST", f"/api/v1/p/{FIRM}/complaints", complaint(key), head(key, "10.8.8.1")
        )
        connection.close()
        writers._deliver(key, "10.8.9.1")
    writers.file.close()
    assert house.rows("SELECT count(*) FROM case_file") == [(12,)]
    writers.hold_true()
    house.nothing_is_lost(writers.journal)


@pytest.mark.parametrize(
    "place",
    [
        "relay.after_claim", "relay.before_mark", "relay.before_publish", "relay.after_publish",
        "worker.before_lease", "worker.after_lease", "worker.after_effect", "worker.after_done",
    ],
)  # fmt: skip
def test_a_job_happens_once_wherever_its_worker_is_killed(house, writers, place):
    writers._deliver("a", "10.7.7.1")
    writers.file.close()
    house.start("worker", HUIYIN_FAILPOINT=f"{place}:kill")
    assert house.ended("worker") == -9
    house.let_a_minute_pass()
    house.start("worker")
    until(house.work_is_done, "the job")
    assert house.rows("SELECT consumer FROM effect ORDER BY consumer") == [
        ("assignment.assign",), ("letters.acknowledgement",)
    ]  # fmt: skip
    house.nothing_is_lost(writers.journal)
