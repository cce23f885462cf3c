"""What no page of ours sends is answered with words, never with a fault."""

import pytest

from huiyin.identity.policy import Role

ODD = ["²", "٣", "-1", "9" * 5000]
CASES = "/t/qinghe/w/cases"


@pytest.fixture
def person(ours, come):
    return come(*(role.value for role in Role)).person


@pytest.mark.parametrize("number", ODD, ids=["square", "arabic", "negative", "long"])
def test_a_number_that_is_none(ours, person, number):
    at = f"{CASES}/{ours.number}"
    assert person.get(f"{at}?before={number}").status_code == 200
    answer = person.post(f"{at}/edit", {"title": "另一个标题", "rev": number})
    assert answer.status_code == 422
    assert "页面已过期" in answer.text
    scoring = "/t/qinghe/w/x/scoring-incentive"
    for path in (f"{scoring}/formula?before={number}", f"{scoring}/awards?before={number}"):
        assert person.get(path).status_code == 200


@pytest.mark.parametrize("amount", ["1e30", "9" * 29, "1e999999999"])
def test_an_amount_beyond_all_bounds(ours, come, person, amount):
    body = {"story": "赎回款没有到账，已经等了很久", "phone": "13800006021", "amount": amount}
    page = person.post(f"{CASES}/new", body)
    assert page.status_code == 422
    assert "请填写 0 到" in page.text
    plan = {"rev": "9", "goal": "补付", "basis": "合同", "amount": amount}
    assert person.post(f"{CASES}/{ours.number}/plan", plan).status_code == 422
    program = come("complaint_officer").program
    told = program.ask(
        "POST", "/api/v1/t/qinghe/cases", json=body, headers={"Idempotency-Key": "k"}
    )
    assert told.status_code == 422
    assert set(told.json()["fields"]) == {"amount"}


def test_an_origin_that_is_no_address(ours, person):
    answer = person.ask(
        "POST",
        f"{CASES}/{ours.number}/talk",
        data={"_csrf": person.csrf, "body": "记一笔"},
        headers={"Origin": "http://["},
    )
    assert answer.status_code == 403
