"""Whom we may call, and whom never."""

import socket

import pytest

from huiyin.kit import outbound
from huiyin.kit.outbound import Unreachable, is_open, vetted

NEVER = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.100.100.200", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1",
    "255.255.255.255", "203.0.113.9", "::1", "::", "::ffff:127.0.0.1", "::ffff:100.100.100.200",
    "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "fe80::1", "fe80::1%eth0",
    "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "2001::1", "::7f00:1", "x", "",
]  # fmt: skip


@pytest.mark.parametrize("address", NEVER)
def test_what_leads_inside_is_never_called(address):
    assert not is_open(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "114.114.114.114", "2606:4700::1111"])
def test_what_leads_outside_may_be(address):
    assert is_open(address)


def resolving(*addresses):
    return lambda _host, port: [(0, 0, 0, "", (address, port)) for address in addresses]


def test_one_bad_address_among_good_ones_closes_the_name():
    assert vetted("a", 993, resolver=resolving("8.8.8.8")) == ("8.8.8.8",)
    with pytest.raises(Unreachable):
        vetted("a", 993, resolver=resolving("8.8.8.8", "10.0.0.1"))
    with pytest.raises(Unreachable):
        vetted("a", 993, resolver=resolving())


@pytest.mark.parametrize("host", ["0177.0.0.1", "2130706433", "127.1", "localhost", "①②⑦.⓪.⓪.①"])
def test_other_spellings_of_this_machine_are_seen_through(host):
    with pytest.raises(Unreachable):
        vetted(host, 25)


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch):
    answers = [["8.8.8.8"], ["127.0.0.1"]]  # a name that changes its mind
    called = []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_a, **_k: [(0, 0, 0, "", (answers.pop(0)[0], 0))]
    )
    monkeypatch.setattr(socket, "create_connection", lambda at, _timeout: called.append(at))
    outbound.connect("rebinding.example", 993, 1.0)
    assert called == [("8.8.8.8", 993)]


def test_the_operator_may_open_a_network_of_his_own(monkeypatch):
    monkeypatch.setenv("HUIYIN_OUTBOUND_PRIVATE", "10.1.0.0/16, fd00::/8")
    assert is_open("10.1.2.3")
    assert is_open("fd00::1")
    assert not is_open("10.2.0.1")
