"""Pages of a plugin: there when it is on, not there when it is off."""


from huiyin.plugins import activation

PUBLIC = "/p/qinghe/callback/"
STAFF = "/t/qinghe/w/x/call-back/"


def test_a_public_page_stands_at_its_root_while_the_plugin_is_on(client, switched_on):
    page = client.get(PUBLIC)
    assert page.status_code == 200
    assert "我们承诺 24 小时内给您回电" in page.text


def test_it_speaks_english_too(client, switched_on):
    assert "within 24 hours" in client.get(f"{PUBLIC}?lang=en").text


def test_off_it_is_as_if_it_were_not_there(client, switched_on, firm, admin):
    assert client.get(PUBLIC).status_code == 200
    with firm() as session:
        activation.deactivate(switched_on, session, admin, "call_back")
        session.commit()
    off = client.get(PUBLIC)
    assert off.status_code == 404
    assert off.text == client.get("/p/nobody/callback/").text
    assert client.get("/api/v1/p/qinghe/x/call-back/waiting").status_code in {401, 404}


def test_a_staff_page_asks_for_a_log_in_first(client, switched_on):
    answer = client.get(STAFF, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


def test_every_page_carries_the_name_of_its_plugin(client):
    handlers = [
        handler
        for route in client.app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.http_methods != {"OPTIONS"}
    ]
    assert len(handlers) == 4
    assert {handler.opt["plugin"] for handler in handlers} == {"call_back"}
