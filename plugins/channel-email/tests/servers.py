"""Real mail servers for the tests, each with a configuration and folders of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

WAIT = 60.0  # seconds for a server to listen or a mail to come; a limit, not a measure

POSTFIX = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.huiyin.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
smtp_dns_support_level = disabled
default_transport = smtp:[127.0.0.1]:{relay}
virtual_mailbox_domains = in.huiyin.test
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
recipient_delimiter = +
message_size_limit = 0
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_recipient_restrictions = permit_mynetworks, reject
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
"""
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """
protocols = imap
base_dir = {home}/run
state_dir = {home}/state
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
log_path = {home}/log
mail_location = maildir:{home}/mail
first_valid_uid = 1
default_internal_user = dovecot
default_login_user = dovenull
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until(condition, what="it"):
    """The first true answer; fails when there is none for long."""
    ends = time.monotonic() + WAIT
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def needs(*programs):
    """Skip where a server is missing, or cannot be started by whoever runs the tests."""
    if os.geteuid() != 0:
        pytest.skip("mail servers are started by root")
    for program in programs:
        if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            pytest.skip(f"no {program} here; infra/setup/servers.sh installs it")


@contextmanager
def postfix(home: Path, lmtp: int, relay: int = 9):
    """A Postfix that delivers ``in.huiyin.test`` by LMTP and hands the rest to ``relay``.

    Answers the port at which it takes mail.
    """
    needs("postfix", "swaks")
    port = free_port()
    for name in ("queue", "data", "conf"):
        (home / name).mkdir(parents=True)
    shutil.chown(home / "data", "postfix")
    home.chmod(0o755)
    (home / "conf/main.cf").write_text(POSTFIX.format(home=home, lmtp=lmtp, relay=relay))
    (home / "conf/master.cf").write_text(SERVICES.format(port=port))
    command = ["/usr/sbin/postfix", "-c", str(home / "conf")]
    subprocess.run([*command, "start"], check=True, capture_output=True)
    try:
        until(lambda: listens(port), "Postfix")
        yield port
    finally:
        subprocess.run([*command, "abort"], check=False, capture_output=True)


@contextmanager
def dovecot(home: Path):
    """A Dovecot whose every user has one mailbox, password ``secret``; answers its port."""
    needs("dovecot")
    port, user = free_port(), pwd.getpwnam("mail")
    for name in ("run", "state", "mail"):
        (home / name).mkdir(parents=True)
    home.chmod(0o755)
    shutil.chown(home / "mail", "mail", "mail")
    conf = home / "dovecot.conf"
    conf.write_text(DOVECOT.format(home=home, port=port, uid=user.pw_uid, gid=user.pw_gid))
    server = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(conf)])
    try:
        until(lambda: listens(port), "Dovecot")
        yield port
    finally:
        server.terminate()
        server.wait(WAIT)


def swaks(port, data: bytes, *, to, sender="chen@example.com"):
    """Send as a person's program would; answers what the server said."""
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(port), "--from", sender, "--to", to,
         "--data", "-", "--suppress-data"],
        input=data, capture_output=True, check=False, timeout=WAIT,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(errors="replace")
