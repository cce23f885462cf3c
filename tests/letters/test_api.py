"""Letters over the API: drafted, read, signed by somebody else, and their way recorded."""

from __future__ import annotations

import hashlib

import pytest

from huiyin.cases.change import find
from huiyin.cases.stages import Stage
from huiyin.letters import service

WORDS = {
    "findings": "经核查，赎回款未按合同约定的期限支付，投诉成立。",
    "outcome": "我司已补付赎回款，并向您致歉。",
    "basis": "基金合同第 18 条",
}


@pytest.fixture
def number(site, file, put):  # the site first: its store is the one that is used
    number = file()
    put(number, Stage.RESPONSE)
    return number


@pytest.fixture
def at(number):
    """The address of the letters of a case that waits for its answer."""
    return f"/api/v1/t/qinghe/cases/{number}/letters"


@pytest.fixture
def drafter(api, actor):
    return api(actor)


@pytest.fixture
def signer(api, make_actor):
    return api(make_actor("approver", name="顾明远"))


@pytest.fixture
def rev(session, actor, number):
    def read():
        session.expire_all()
        return find(session, actor, number).version

    return read


@pytest.fixture
def draft(drafter, at, rev):
    """``draft()`` keeps the written answer."""

    def make(**changes):
        return drafter.ask("PUT", f"{at}/answer", json={**WORDS, "rev": rev(), **changes})

    return make


def release(client, at, letter, **changes):
    body = {"rev": letter["rev"], "fingerprint": letter["fingerprint"], **changes}
    return client.ask("POST", f"{at}/{letter['id']}/release", json=body)


def deliver(client, at, letter, **body):
    given = {"outcome": "delivered", "channel": "post", "detail": "EMS 123", **body}
    return client.ask("POST", f"{at}/{letter['id']}/delivery", json=given)


def test_an_answer_is_drafted_listed_and_read(draft, drafter, at):
    made = draft()
    assert made.status_code == 200, made.text
    letter = made.json()
    assert (letter["kind"], letter["state"], letter["drafted_by"]) == ("answer", "draft", "沈佳宁")
    assert any("投诉成立" in line for line in letter["text"])
    assert drafter.get(f"{at}/{letter['id']}").json() == letter
    (line,) = drafter.get(at).json()["letters"]
    assert (line["id"], line["number"], line["state"]) == (letter["id"], letter["number"], "draft")


def test_an_open_draft_is_rewritten_under_its_number_and_a_stale_one_is_told(draft):
    first = draft().json()
    again = draft(outcome="我司已全额补付，并向您致歉。").json()
    assert (again["id"], again["number"]) == (first["id"], first["number"])
    assert again["fingerprint"] != first["fingerprint"]
    stale = draft(rev=first["rev"])
    assert (stale.status_code, stale.json()["version"]) == (409, again["rev"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"findings": ""}, "findings"), ({"rev": None}, "rev"), ({"amount": 5}, "amount")],
)
def test_an_answer_that_cannot_be_is_refused_at_its_field(draft, drafter, at, changes, field):
    refused = draft(**changes)
    assert (refused.status_code, list(refused.json()["fields"])) == (422, [field])
    assert drafter.get(at).json() == {"letters": []}


def test_what_the_gate_found_is_told_and_keeps_the_letter_here(draft, signer, at):
    letter = draft(outcome="我司保证您今后的收益，保本保息。").json()
    found = [finding for finding in letter["findings"] if finding["severity"] == "block"]
    assert found
    assert all(finding["message"] for finding in found)
    refused = release(signer, at, letter)
    assert (refused.status_code, refused.json()["code"]) == (422, "letter_blocked")
    assert len(refused.json()["fields"]) == len(found)


def test_an_officer_signs_no_answer_and_an_approver_does(draft, drafter, signer, at):
    letter = draft().json()
    own = release(drafter, at, letter)
    assert (own.status_code, own.json()["code"]) == (403, "refused")
    signed = release(signer, at, letter)
    assert signed.status_code == 200, signed.text
    done = signed.json()
    assert (done["state"], done["released_by"], done["findings"]) == ("released", "顾明远", [])
    again = release(signer, at, done)
    assert (again.status_code, again.json()["code"]) == (409, "letter_fixed")


def test_a_release_binds_the_words_and_the_version_that_were_read(draft, signer, at):
    letter = draft().json()
    other = release(signer, at, letter, fingerprint="0" * 64)
    assert (other.status_code, other.json()["code"]) == (409, "letter_changed")
    stale = release(signer, at, letter, rev=letter["rev"] - 1)
    assert (stale.status_code, stale.json()["version"]) == (409, letter["rev"])
    assert signer.get(f"{at}/{letter['id']}").json()["state"] == "draft"


def test_how_a_letter_fared_is_recorded_with_its_proof(draft, drafter, signer, at):
    letter = draft().json()
    early = deliver(drafter, at, letter)
    assert early.status_code == 409
    release(signer, at, letter)
    wordless = deliver(drafter, at, letter, detail="")
    assert (wordless.status_code, list(wordless.json()["fields"])) == (422, ["detail"])
    done = deliver(drafter, at, letter).json()
    assert (done["state"], done["channel"], done["proof"]) == ("delivered", "post", "EMS 123")
    assert done["delivered_at"]


def test_what_the_role_may_not_or_another_case_is_not_there(draft, drafter, at, api, actor, file):
    letter = draft().json()
    unknown = drafter.get("/api/v1/t/qinghe/cases/TS-2026-9999/letters")
    other = at.replace(at.split("/")[-2], file("2"))
    reader = api(actor, "case.read")
    tried = [
        drafter.get(f"{other}/{letter['id']}"),
        release(drafter, other, letter),
        release(reader, at, letter),
        deliver(reader, at, letter),
        reader.ask("PUT", f"{at}/answer", json={**WORDS, "rev": letter["rev"]}),
    ]
    assert {(t.status_code, t.content) for t in tried} == {(404, unknown.content)}


# -- notices, withdrawn drafts and the paper itself ------------------------------------------------


@pytest.fixture
def notice(drafter, at, rev):
    """``notice()`` keeps a letter about how far it is."""
    body = {"kind": "progress", "process": "已向托管人调取划款记录，正在核对。"}

    def make(**changes):
        return drafter.ask("PUT", f"{at}/notice", json={**body, "rev": rev(), **changes})

    return make


def test_a_notice_is_drafted_rewritten_listed_and_signed_by_its_drafter(notice, drafter, at):
    made = notice()
    assert made.status_code == 200, made.text
    letter = made.json()
    assert (letter["kind"], letter["state"]) == ("progress", "draft")
    assert any("托管人" in line for line in letter["text"])
    due = {"next_date": "2099-01-05"}
    again = notice(process="已核对全部划款记录，正在与您的对账单比对。", **due).json()
    assert (again["id"], again["number"]) == (letter["id"], letter["number"])
    assert notice(kind="supplement", materials="赎回申请的回执").json()["id"] != letter["id"]
    assert [one["kind"] for one in drafter.get(at).json()["letters"]] == ["progress", "supplement"]
    again["rev"] = drafter.get(f"{at}/{again['id']}").json()["rev"]
    signed = release(drafter, at, again)
    assert signed.status_code == 200, signed.text
    assert (signed.json()["state"], signed.json()["released_by"]) == ("released", "沈佳宁")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "answer"}, "kind"),
        ({"kind": None}, "kind"),
        ({"process": "长" * 6001}, "process"),
        ({"next_date": "明天"}, "next_date"),
        ({"rev": None}, "rev"),
        ({"findings": "属实"}, "findings"),
    ],
)
def test_a_notice_that_cannot_be_is_refused_at_its_field(notice, drafter, at, changes, field):
    refused = notice(**changes)
    assert (refused.status_code, list(refused.json()["fields"])) == (422, [field])
    assert drafter.get(at).json() == {"letters": []}


def test_a_stale_notice_is_told_the_version(notice):
    first = notice().json()
    stale = notice(rev=first["rev"] - 1)
    assert (stale.status_code, stale.json()["version"]) == (409, first["rev"])


def test_a_draft_is_withdrawn_once_with_a_reason_and_keeps_its_number(notice, drafter, at):
    letter = notice().json()
    there = f"{at}/{letter['id']}/withdraw"
    wordless = drafter.ask("POST", there, json={})
    assert (wordless.status_code, list(wordless.json()["fields"])) == (422, ["reason"])
    gone = drafter.ask("POST", there, json={"reason": "改用电话告知"}).json()
    assert (gone["state"], gone["number"]) == ("withdrawn", letter["number"])
    again = drafter.ask("POST", there, json={"reason": "再次"})
    assert (again.status_code, again.json()["code"]) == (409, "letter_fixed")
    assert notice().json()["id"] != letter["id"]


def test_what_was_released_is_not_withdrawn(draft, drafter, signer, at):
    letter = draft().json()
    release(signer, at, letter)
    late = drafter.ask("POST", f"{at}/{letter['id']}/withdraw", json={"reason": "有误"})
    assert (late.status_code, late.json()["code"]) == (409, "letter_fixed")


def test_the_paper_is_a_preview_first_and_then_the_bytes_that_were_kept(
    draft, drafter, signer, at, session, actor, number
):
    letter = draft().json()
    there = f"{at}/{letter['id']}/pdf"
    preview = drafter.get(there)
    assert (preview.status_code, preview.content[:5]) == (200, b"%PDF-")
    assert preview.headers["Content-Type"] == "application/pdf"
    assert preview.headers["Content-Disposition"].startswith("attachment; ")
    release(signer, at, letter)
    kept = drafter.get(there).content
    session.expire_all()
    (row,) = service.letters_of(session, find(session, actor, number))
    assert hashlib.sha256(kept).hexdigest() == row.pdf_sha256
    assert signer.get(there).content == kept


def test_a_paper_that_was_tampered_with_is_not_given_out(draft, drafter, signer, at, folder):
    letter = draft().json()
    release(signer, at, letter)
    (kept,) = (path for path in folder.root.rglob("*") if path.is_file())
    kept.chmod(0o600)
    kept.write_bytes(kept.read_bytes() + b"%")
    refused = drafter.get(f"{at}/{letter['id']}/pdf")
    assert (refused.status_code, refused.json()["code"]) == (409, "blob_damaged")


def test_notices_and_papers_of_what_is_not_theirs_are_not_there(
    notice, drafter, at, api, actor, file, make_tenant, make_actor
):
    letter = notice().json()
    unknown = drafter.get("/api/v1/t/qinghe/cases/TS-2026-9999/letters").content
    other = at.replace(at.split("/")[-2], file("2"))
    reader = api(actor, "case.read")
    body = {"rev": letter["rev"], "kind": "progress", "process": "正在核对"}
    tried = [
        drafter.get(f"{other}/{letter['id']}/pdf"),
        drafter.ask("POST", f"{other}/{letter['id']}/withdraw", json={"reason": "有误"}),
        reader.ask("POST", f"{at}/{letter['id']}/withdraw", json={"reason": "有误"}),
        reader.ask("PUT", f"{at}/notice", json=body),
        api(actor, "case.handle").get(f"{at}/{letter['id']}/pdf"),
        api(make_actor("investigator", name="外人")).get(f"{at}/{letter['id']}/pdf"),
    ]
    assert {(t.status_code, t.content) for t in tried} == {(404, unknown)}
    assert reader.get(f"{at}/{letter['id']}/pdf").status_code == 200
    stranger = api(make_actor("complaint_officer", of=make_tenant("wanlan")))
    assert stranger.get(f"{at}/{letter['id']}/pdf").status_code == 401
