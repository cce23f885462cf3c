"""What the provider calls: who is heard, who is not, and what is kept."""

import base64
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.kit.time import clock_at, now
from huiyin.tenancy.models import PluginActivation
from huiyin_channel_wecom import sealed, xml
from huiyin_channel_wecom.models import Incoming, Nonce

from .conftest import KEYS, NAME, event, message, post, sealed_call

NOTHING = (403, "")


def heard(answer):
    return answer.status_code, answer.text


# -- the address is verified once --------------------------------------------------------------


def verify(public, road, echo, *, sign="msg_signature", parts=None, at=None, nonce="n"):
    keys, stamp = KEYS[road], str(int((at or now()).timestamp()))
    signature = keys.signature(stamp, nonce, *(parts if parts is not None else [echo]))
    asked = {sign: signature, "timestamp": stamp, "nonce": nonce, "echostr": echo}
    return public.get(f"/p/qinghe/x/channel-wecom/{road}", params=asked)


def test_each_road_is_verified_in_its_own_way(firm, public):
    assert heard(verify(public, "wecom", KEYS["wecom"].seal(b"4711"))) == (200, "4711")
    plain = verify(public, "mp", "<b>4711</b>", sign="signature", parts=[])
    assert heard(plain) == (200, "<b>4711</b>")
    assert plain.headers["content-type"].startswith("text/plain")


def test_whoever_does_not_know_the_token_verifies_nothing(firm, public):
    assert heard(verify(public, "wecom", KEYS["wecom"].seal(b"1"), parts=["x"])) == NOTHING
    assert heard(verify(public, "mp", "1", sign="signature", parts=["x"])) == NOTHING
    assert heard(verify(public, "mp", "1", sign="signature", parts=[],
                        at=now() - timedelta(hours=1))) == NOTHING  # fmt: skip
    assert heard(public.get("/p/qinghe/x/channel-wecom/mp")) == NOTHING
    assert public.get("/p/qinghe/x/channel-wecom/other").status_code == 404


# -- messages ----------------------------------------------------------------------------------


def test_the_same_message_twice_is_one(firm, public, found, call):
    path, body = sealed_call(message())
    assert post(public, path, body).text == "success"
    assert post(public, path, body).text == "success"  # the very same call
    assert call(message()).text == "success"  # asked again under another nonce
    assert len(found.kept) == 1
    assert len(found.session.scalars(select(Nonce)).all()) == 2


def test_messages_that_overtake_each_other_are_read_in_the_order_they_were_said(
    firm, call, work, found
):
    moment = now()
    for number in (3, 1, 2):
        call(message(f"第 {number} 句", number=str(number), at=moment + timedelta(seconds=number)))
    work(minutes=11)
    assert found.cases[0].story == "第 1 句\n第 2 句\n第 3 句"


@pytest.mark.parametrize("seconds", [-330, 330, 86_400])
def test_an_old_call_and_one_of_the_future_are_not_heard(firm, call, found, seconds):
    assert heard(call(message(), at=now() + timedelta(seconds=seconds))) == NOTHING
    assert not found.kept


def test_a_forged_signature_is_not_heard(firm, public, found):
    path, body = sealed_call(message())
    for wrong in (
        path.replace("msg_signature=", "msg_signature=0"),
        path.replace("nonce=n1", "nonce=n2"),
        path.partition("?")[0],
        path.replace("msg_signature", "signature"),
    ):
        assert heard(post(public, wrong, body)) == NOTHING
    assert not found.kept
    assert not found.session.scalars(select(Nonce)).all()


def test_a_message_for_another_receiver_is_not_heard(firm, call, found):
    keys = KEYS["mp"]
    other = sealed.Keys(keys.token, keys.aes_key, "wxSomebodyElse")
    assert heard(call(message(), keys=other)) == NOTHING
    assert heard(call(message(), road="mp", keys=KEYS["wecom"])) == NOTHING
    assert not found.kept


def test_nothing_is_told_about_the_padding(firm, call, found):
    """Every change of a sealed message is answered alike, even by whoever could sign it."""
    box = bytearray(base64.b64decode(KEYS["mp"].seal(message())))
    said = set()
    for place in (0, 15, 16, len(box) // 2, len(box) - 33, len(box) - 17, len(box) - 1):
        changed = bytearray(box)
        changed[place] ^= 1
        said.add(heard(call(b"", sealed=base64.b64encode(changed).decode())))
    for cut in (0, 1, 15, 16, 31, 32, len(box) - 16):
        said.add(heard(call(b"", sealed=base64.b64encode(box[:cut]).decode())))
    said.add(heard(call(b"", sealed="!!!")))
    # A change of the 16 random bytes alone changes nothing that is said.
    assert said <= {NOTHING, (200, "success")}
    assert NOTHING in said
    assert len(found.kept) <= 1


def test_another_message_under_a_known_time_and_nonce_is_refused(firm, call, found):
    moment = now()
    assert call(message(number="1"), nonce="same", at=moment).text == "success"
    assert heard(call(message(number="2"), nonce="same", at=moment)) == NOTHING
    assert len(found.kept) == 1


def test_another_firm_does_not_hear_it(firm, public, make_tenant, session):
    make_tenant("yuancen")
    path, body = sealed_call(message())
    answer = post(public, path.replace("/qinghe/", "/yuancen/"), body)
    assert answer.status_code == 404
    assert not session.scalars(select(Incoming)).all()


def test_off_it_is_no_such_address_and_nothing_is_kept(firm, public, session, place, found):
    row = session.scalars(select(PluginActivation).where(PluginActivation.plugin == NAME)).one()
    row.active = False
    session.commit()
    place.host.forget()
    nowhere = public.get("/p/qinghe/x/nothing-here")
    path, body = sealed_call(message())
    assert post(public, path, body).status_code == nowhere.status_code == 404
    assert not found.kept


def test_a_road_that_is_not_set_up_is_no_such_address(firm, public, settle, found):
    settle(mp=False)
    path, body = sealed_call(message())
    assert post(public, path, body).status_code == 404
    assert not found.kept


# -- hostile documents -------------------------------------------------------------------------

ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{('&' + chr(97 + n) + ';') * 10}'>" for n in range(9)
) + "]>"  # fmt: skip
HOSTILE = {
    "entity": f"{ENTITY}<xml><Encrypt>&a;</Encrypt></xml>",
    "billion laughs": f"{LAUGHS}<xml><Encrypt>&j;</Encrypt></xml>",
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/">%p;]><xml/>',
    "bare doctype": "<!DOCTYPE xml><xml><Encrypt>x</Encrypt></xml>",
    "instruction": "<?php x?><xml><Encrypt>x</Encrypt></xml>",
    "unknown entity": "<xml><Encrypt>&nbsp;</Encrypt></xml>",
    "nul": "<xml><Encrypt>a\0b</Encrypt></xml>",
    "open cdata": "<xml><Encrypt><![CDATA[abc</Encrypt></xml>",
    "two roots": "<xml><Encrypt>a</Encrypt></xml><xml/>",
    "deep": "<xml>" + "<a>" * 50 + "</a>" * 50 + "</xml>",
    "many": "<xml>" + "<a/>" * 500 + "</xml>",
    "long name": f"<xml><{'a' * 500}/></xml>",
    "empty": "",
    "no xml": '{"Encrypt": "x"}',
    "another encoding": '<?xml version="1.0" encoding="utf-7"?><xml>+ADw-</xml',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_by_the_reader(name):
    with pytest.raises(xml.Malformed):
        xml.read(HOSTILE[name].encode())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_not_heard_outside_nor_inside(name, firm, public, call, found):
    path, _ = sealed_call(message())
    assert heard(post(public, path, HOSTILE[name].encode())) == NOTHING
    assert heard(call(HOSTILE[name].encode())) == NOTHING  # signed and sealed
    assert not found.kept


def test_two_megabytes_are_not_read(firm, public, found):
    path, _ = sealed_call(message())
    body = b"<xml><Encrypt>" + b"A" * (2 * 1024 * 1024) + b"</Encrypt></xml>"
    assert post(public, path, body).status_code == 413
    with pytest.raises(xml.Malformed):
        xml.read(body)
    assert not found.kept


def test_cdata_is_text_and_the_first_of_two_fields_counts():
    said = xml.read(
        b"<xml><A><![CDATA[<B>x</B>]]></A><B><![CDATA[a]]>]]&gt;<![CDATA[b]]></B>"
        b"<C>1</C><C>2</C><D><E>in</E></D><F>&lt;&amp;&#22238;</F></xml>"
    )
    assert said == {"A": "<B>x</B>", "B": "a]]>b", "C": "1", "D.E": "in", "D": "", "F": "<&回"}


def test_text_with_controls_is_kept_as_it_came_and_read_clean(firm, call, work, found):
    raw = message("我要投诉\u202e，赎回款没有到账，已经等了三个星期了\u2066。")
    call(raw)
    work()
    assert found.kept[0].raw == raw
    assert found.cases[0].story == "我要投诉，赎回款没有到账，已经等了三个星期了。"


def test_what_we_do_not_know_is_kept_and_makes_nothing(firm, call, work, found):
    call(event(Event="subscribe", FromUserName="oUser1"))
    call(b"<xml><a/></xml>", nonce="x1")
    call(message(number="5", who=""))
    work(minutes=11)
    assert [row.done for row in found.kept] == [True, True, True]
    assert not found.talks
    assert not found.arrivals


# -- kept before it is answered ----------------------------------------------------------------


def test_a_call_that_fails_before_the_commit_is_not_answered_and_comes_again(
    firm, public, found, monkeypatch
):
    path, body = sealed_call(message())
    for place in ("wecom.after_insert", "wecom.before_answer"):
        monkeypatch.setenv("HUIYIN_FAILPOINT", f"{place}:raise")
        assert post(public, path, body).status_code == 500
        monkeypatch.delenv("HUIYIN_FAILPOINT")
        assert not found.kept
    assert post(public, path, body).text == "success"
    assert len(found.kept) == 1


KILLED = """
import os, sys, threading
from pathlib import Path
from importlib import import_module
from sqlalchemy import create_engine
from huiyin.kit import keys
from huiyin.testing import database, web
keys.configure(web.SECRET)
engine = database.engine_for(database.Addresses(*sys.argv[1:3]))
place = web.make_place(engine, Path(sys.argv[3]), ("channel_web", "channel_wecom"))
browser = web.log_in(place, None)
from huiyin.db.wall import ScopedSession
from huiyin_channel_wecom import keeping
keep, commit, kept = keeping.keep, ScopedSession.commit, []
def keep_and_tell(*given):
    kept.append(keep(*given))
def commit_and_die(self):
    commit(self)
    if kept:
        os.kill(os.getpid(), 9)
keeping.keep, ScopedSession.commit = keep_and_tell, commit_and_die
browser.ask("POST", sys.argv[4], content=sys.argv[5].encode(), headers={"Content-Type": "text/xml"})
"""


def test_killed_between_commit_and_answer_the_retry_gives_one_message(
    firm, public, found, addresses, tmp_path
):
    path, body = sealed_call(message())
    done = subprocess.run(
        [sys.executable, "-c", KILLED, addresses.app, addresses.owner, str(tmp_path), path,
         body.decode()],
        env={**os.environ}, check=False, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr.decode()[-2000:]
    assert len(found.kept) == 1
    assert post(public, path, body).text == "success"
    assert len(found.kept) == 1


def test_the_clock_is_the_houses_own(firm, call, found):
    with clock_at(now() + timedelta(days=3)):
        assert call(message()).text == "success"
    assert found.kept[0].kept_at > now() + timedelta(days=2)
