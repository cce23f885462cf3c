"""The chat by forms alone: nobody needs a script."""

from .conftest import HOME, QUEUE, STORY, text_of


def test_a_visitor_writes_and_an_officer_answers(visitor, officer, only):
    assert "沈佳宁 在线" in visitor.page().text
    assert visitor.begin(name="陈建国").status_code == 303
    assert visitor.say(STORY).headers["location"] == f"{HOME}#now"
    assert STORY in text_of(visitor.page())

    queue = officer.get(f"{QUEUE}/")
    assert "陈*国" in queue.text
    path = f"{QUEUE}/talks/{only().id}"
    assert STORY in officer.get(path).text
    assert "请先接入" in officer.post(path, {"act": "say", "body": "您好", "id": "a" * 8}).text
    officer.post(path, {"act": "take"})
    answer = officer.post(path, {"act": "say", "body": "请问是哪只基金？", "id": "b" * 8})
    assert answer.status_code == 303
    page = text_of(visitor.page())
    assert "沈佳宁 已接入，为您服务" in page
    assert "请问是哪只基金？" in page
