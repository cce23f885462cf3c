"""Certificates, as strangers check them."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import Refused, today
from huiyin_training_records import certificates, records
from huiyin_training_records.models import Certificate
from huiyin_training_records.schemas import RecogniseForm

from .conftest import HOME, follow, text_of

CHECK = "/p/qinghe/certificate"
WRONG = "ABCD-EFGH-JKMN-PQRS"


@pytest.fixture
def certificate(course, ctx_of, approver, learner, session):
    form = RecogniseForm(
        course=course.id, person=learner.id, completed_on=today(), proof="外部证书 123"
    )
    row = records.recognise(ctx_of(approver), form)
    session.commit()
    return certificates.of(session, row.id)


@pytest.fixture
def code(certificate):
    return certificates.shown(certificates.code_of(certificate))


@pytest.fixture
def visitor(switched_on, public):
    return public


def test_the_code_tells_a_stranger_that_it_is_genuine_and_hides_the_name(visitor, code):
    page = text_of(visitor.post(CHECK, {"code": code}))
    assert "证书真实有效" in page
    assert "周*" in page
    assert "周岚" not in page


def test_it_may_be_typed_without_dashes_small_and_with_letters_that_look_alike(certificate, ctx_of):
    code = certificates.code_of(certificate)
    for typed in (
        code.lower(),
        code.replace("0", "O").replace("1", "l"),
        f" {code[:8]} {code[8:]}",
    ):
        assert certificates.check(ctx_of(), typed).course == "销售话术 KC-01"


def test_wrong_foreign_and_impossible_codes_get_the_same_answer(
    visitor, code, make_tenant, web, make_actor
):
    far = make_tenant("yuancen")
    boss = make_actor("tenant_admin", of=far)
    path = "/t/yuancen/admin/plugins/training_records/switch"
    assert web(boss).post(path, {"to": "on"}).status_code == 303
    foreign = visitor.post("/p/yuancen/certificate", {"code": code})
    wrong = visitor.post("/p/yuancen/certificate", {"code": WRONG})
    short = visitor.post("/p/yuancen/certificate", {"code": "x"})
    assert foreign.status_code == wrong.status_code == short.status_code == 422
    assert foreign.text == wrong.text == short.text


def test_ten_wrong_codes_close_the_door_and_right_ones_do_not_count(visitor, code):
    for _ in range(12):
        assert visitor.post(CHECK, {"code": code}).status_code == 200
    for _ in range(10):
        assert visitor.post(CHECK, {"code": WRONG}).status_code == 422
    closed = visitor.post(CHECK, {"code": code})
    assert closed.status_code == 429
    assert int(closed.headers["retry-after"]) > 0


def test_the_code_is_kept_nowhere(certificate, session):
    code = certificates.code_of(certificate)
    row = session.execute(
        text("SELECT row_to_json(c)::text FROM plugin_training_records__certificate c")
    ).scalar_one()
    assert code not in row


def test_a_revoked_one_says_so_and_no_longer_counts(
    visitor, code, certificate, web, admin, learner, session
):
    path = f"{HOME}/manage/records/{certificate.assignment_id}"
    short = web(admin).post(f"{path}/revoke", {"reason": "短"})
    assert short.status_code == 422
    page = follow(web(admin), web(admin).post(f"{path}/revoke", {"reason": "考卷系他人代答"}))
    assert "已撤销" in text_of(page)
    told = text_of(visitor.post(CHECK, {"code": code}))
    assert "证书已被撤销" in told
    assert "代答" not in told
    assert "已撤销" in text_of(web(learner).get(f"{HOME}/"))


def test_nobody_revokes_his_own(certificate, ctx_of, learner, session):
    with pytest.raises(Refused):
        certificates.revoke(ctx_of(learner), certificate, "想重新考")
    session.rollback()
    with pytest.raises(IntegrityError):
        session.execute(
            text("UPDATE plugin_training_records__certificate SET revoked_by = account_id")
        )
    session.rollback()


def test_one_past_its_end_is_genuine_and_expired(visitor, code, certificate, session):
    session.execute(
        text("UPDATE plugin_training_records__certificate SET valid_until = issued_on - 1")
    )
    session.commit()
    assert "已过有效期" in text_of(visitor.post(CHECK, {"code": code}))


def test_the_paper_is_for_its_holder_and_those_who_read_records(
    switched_on, certificate, web, learner, supervisor, actor, executive
):
    path = f"{HOME}/assignments/{certificate.assignment_id}/certificate"
    for person in (learner, supervisor):
        assert web(person).get(path).content.startswith(b"%PDF")
    for person in (actor, executive):
        assert web(person).get(path).status_code == 404


def test_it_is_on_paper_in_english_too(switched_on, certificate, web, learner, session):
    path = f"{HOME}/assignments/{certificate.assignment_id}/certificate?lang=en"
    assert web(learner).get(path).content.startswith(b"%PDF")
    assert session.query(Certificate).count() == 1
