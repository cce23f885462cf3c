"""Where a form came from, and whose it is."""

from __future__ import annotations

import pytest

from huiyin.kit.errors import BadOrigin
from huiyin.web.csrf import check_origin, check_token, token_for

HOST = "qinghe.test"
OURS = [
    {},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"origin": "https://qinghe.test"},
    {"sec-fetch-site": "same-origin", "origin": "https://qinghe.test"},
]
THEIRS = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "SAME-ORIGIN"},
    {"sec-fetch-site": "cross-site", "origin": "https://qinghe.test"},
    {"origin": "https://qinghe.test.evil.test"},
    {"origin": "https://qinghe.test:8443"},
    {"origin": "https://qinghe.test@evil.test"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://["},
]


@pytest.mark.parametrize("headers", OURS, ids=str)
def test_our_own_pages_may_send_forms(headers):
    check_origin(headers, HOST)


@pytest.mark.parametrize("headers", THEIRS, ids=str)
def test_nobody_elses_may(headers):
    with pytest.raises(BadOrigin):
        check_origin(headers, HOST)


def test_a_token_belongs_to_one_log_in_and_one_installation():
    token = token_for(b"s" * 32, b"one")
    check_token(token, token)
    for other in (token_for(b"s" * 32, b"two"), token_for(b"t" * 32, b"one"), "", None, 7, "é"):
        with pytest.raises(BadOrigin):
            check_token(token, other)
