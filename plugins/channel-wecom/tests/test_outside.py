"""Calls to the providers: to the vetted address, over https, no redirects, little at a time."""

import socket
import threading

import pytest

from huiyin.kit import outbound
from huiyin_channel_wecom import client, hosts, outside
from huiyin_channel_wecom.client import Trouble, Why


@pytest.fixture
def speaking(monkeypatch):
    """``speaking(bytes)``: a server that says just that, whatever it is asked."""
    monkeypatch.setenv(outbound.VARIABLE, "127.0.0.0/8")
    open_ = []

    def run(said):
        server = socket.create_server(("127.0.0.1", 0))
        heard = []

        def serve():
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    heard.append(line.recv(65536))
                    line.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        open_.append((server, thread))
        monkeypatch.setenv(outside.VARIABLE, f"http://127.0.0.1:{server.getsockname()[1]}/wx")
        return heard

    yield run
    for server, thread in open_:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


def test_the_relay_is_told_the_host_and_the_host_of_the_relay_is_named(speaking):
    heard = speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    answer = outside.call("GET", hosts.WECOM, "/cgi-bin/x?a=1")
    assert (answer.status, answer.body, answer.whole) == (200, b"{}", True)
    assert heard[0].startswith(b"GET /wx/qyapi.weixin.qq.com/cgi-bin/x?a=1 HTTP/1.1\r\n")


def test_a_redirect_is_an_answer_and_not_followed(speaking):
    heard = speaking(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    )
    with pytest.raises(Trouble) as refused:
        client.send_mp("t", "o", "x")
    assert refused.value.why is Why.REFUSED
    assert len(heard) == 1


def test_more_than_we_take_is_cut(speaking):
    speaking(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (outside.ANSWER + 10))
    answer = outside.call("GET", hosts.MP, "/")
    assert (len(answer.body), answer.whole) == (outside.ANSWER, False)


@pytest.mark.parametrize(
    "said", [b"", b"\0\1\2", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"]
)
def test_no_answer_after_something_was_sent_is_said_to_be_so(speaking, said):
    speaking(said)
    with pytest.raises(outside.Failed) as failed:
        outside.call("POST", hosts.MP, "/", b"{}")
    assert failed.value.sent


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"errcode": "1"}'])
def test_an_answer_that_is_none_is_a_refusal(speaking, body):
    speaking(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    with pytest.raises(Trouble) as refused:
        client.send_mp("t", "o", "x")
    assert refused.value.why is Why.REFUSED


def test_without_a_relay_nothing_inside_is_called(monkeypatch):
    monkeypatch.delenv(outside.VARIABLE, raising=False)
    asked = []

    def resolve(host, port, **_):
        asked.append((host, port))
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(outside.Failed) as failed:
        outside.call("GET", hosts.WECOM, "/")
    assert not failed.value.sent
    assert asked == [(hosts.WECOM, 443)]


@pytest.mark.parametrize("url", ["http://relay.example.com", "ftp://127.0.0.1x", "http://10.0.0.1"])
def test_a_relay_elsewhere_is_called_over_https_only(monkeypatch, url):
    monkeypatch.setenv(outside.VARIABLE, url)
    with pytest.raises(outside.Failed):
        outside.call("GET", hosts.WECOM, "/")


@pytest.mark.parametrize(
    "url",
    [
        "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
        "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=1",
        "https://qyapi.weixin.qq.com@evil.test/cgi-bin/webhook/send",
        "https://evil.test/cgi-bin/webhook/send",
        "https://qyapi.weixin.qq.com.evil.test/cgi-bin/webhook/send",
        "https://qyapi.weixin.qq.com/cgi-bin/gettoken",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1\r\nX: y",
        "https://qyapi.weixin.qq.com:x/cgi-bin/webhook/send",
        "https://127.0.0.1/cgi-bin/webhook/send",
        "https://[::1/cgi-bin/webhook/send",
        "",
    ],
)
def test_an_address_elsewhere_is_no_robot(url):
    assert not hosts.is_robot("wecom", url)
    assert hosts.is_robot("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1")
