"""The providers as their public documents describe them: tokens, media, 微信客服, 公众号, robots.

Hosts are the first segment of the path, as behind ``HUIYIN_WECOM_GATEWAY``.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WECOM, MP = "qyapi.weixin.qq.com", "api.weixin.qq.com"
DINGTALK, FEISHU = "oapi.dingtalk.com", "open.feishu.cn"
ACCOUNTS = {WECOM: ("ww0123456789abcdef", "corp-secret"), MP: ("wx0123456789abcdef", "app-secret")}
DINGTALK_SECRET, FEISHU_SECRET = "SEC-ding", "feishu-secret"
GOOD_FOR = 7200
PAGE = 2  # messages of a page; the real one gives a thousand


class Provider:
    """One server.  ``fail`` are errcodes to answer next, by path; ``drop`` are left unanswered."""

    def __init__(self):
        self.tokens = defaultdict(list)  # host → tokens, the last is the good one
        self.media = {}  # media_id → (headers, bytes)
        self.messages = []  # of 微信客服
        self.sent = []  # (path, body) that was done
        self.asked = []  # paths
        self.fail = defaultdict(list)
        self.drop = set()
        self.known_ids = set()
        self.lock = threading.Lock()
        self.port = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def expire(self):
        for tokens in self.tokens.values():
            tokens.append("")

    @contextmanager
    def running(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                provider.answer(self, b"")

            def do_POST(self):
                provider.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, request, body):
        parts = urlsplit(request.path)
        host, _, path = parts.path.lstrip("/").partition("/")
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self.lock:
            self.asked.append(path)
            status, headers, content = self.reply(host, path, asked, body)
            if path in self.drop:
                request.close_connection = True
                return
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def reply(self, host, path, asked, body):
        if self.fail[path]:
            code = self.fail[path].pop(0)
            return words(code) if code < 100_000 else (code - 100_000, {}, b"")
        if path in {"cgi-bin/gettoken", "cgi-bin/token"}:
            return self.token(host, asked)
        if host == DINGTALK:
            return self.dingtalk(asked, body)
        if host == FEISHU:
            return self.feishu(body)
        if path == "cgi-bin/webhook/send":
            self.sent.append((path, json.loads(body)))
            return words(0)
        known = self.tokens[host]
        if not known or asked.get("access_token") != known[-1] or not known[-1]:
            return words(42001 if asked.get("access_token") in known else 40014)
        if path == "cgi-bin/media/get":
            return self.file(asked)
        return {
            "cgi-bin/kf/sync_msg": self.sync,
            "cgi-bin/kf/send_msg": self.send_kf,
            "cgi-bin/message/custom/send": self.send_mp,
        }[path](json.loads(body), path)

    def token(self, host, asked):
        ident = asked.get("corpid") or asked.get("appid")
        secret = asked.get("corpsecret") or asked.get("secret")
        if ident != ACCOUNTS[host][0]:
            return words(40013)
        if secret != ACCOUNTS[host][1]:
            return words(40001)
        made = f"token-{host}-{len(self.tokens[host])}"
        self.tokens[host].append(made)
        return words(0, access_token=made, expires_in=GOOD_FOR)

    def file(self, asked):
        if asked.get("media_id") not in self.media:
            return words(40007)
        headers, content = self.media[asked["media_id"]]
        return 200, headers, content

    def sync(self, asked, _path):
        start = int(asked.get("cursor") or 0)
        mine = [m for m in self.messages if m["open_kfid"] == asked["open_kfid"]]
        page = mine[start : start + min(PAGE, asked.get("limit", 1000))]
        end = start + len(page)
        return words(0, next_cursor=str(end), has_more=int(end < len(mine)), msg_list=page)

    def send_kf(self, body, path):
        assert set(body) == {"touser", "open_kfid", "msgid", "msgtype", "text"}
        assert len(body["msgid"]) <= 32
        if body["msgid"] not in self.known_ids:
            self.known_ids.add(body["msgid"])
            self.sent.append((path, body))
        return words(0, msgid=body["msgid"])

    def send_mp(self, body, path):
        self.sent.append((path, body))
        return words(0)

    def dingtalk(self, asked, body):
        joined = f"{asked['timestamp']}\n{DINGTALK_SECRET}"
        sign = hmac.new(DINGTALK_SECRET.encode(), joined.encode(), hashlib.sha256).digest()
        if asked.get("sign") != base64.b64encode(sign).decode():
            return words(310000)
        self.sent.append(("dingtalk", json.loads(body)))
        return words(0)

    def feishu(self, body):
        said = json.loads(body)
        joined = f"{said['timestamp']}\n{FEISHU_SECRET}".encode()
        sign = base64.b64encode(hmac.new(joined, digestmod=hashlib.sha256).digest()).decode()
        if said.get("sign") != sign:
            return 200, JSON, json.dumps({"code": 19021, "msg": "sign match fail"}).encode()
        self.sent.append(("feishu", said))
        return 200, JSON, json.dumps({"code": 0, "msg": "success", "data": {}}).encode()


JSON = {"Content-Type": "application/json; charset=UTF-8"}


def words(code, **more):
    said = {"errcode": code, "errmsg": "ok" if code == 0 else "error", **more}
    return 200, JSON, json.dumps(said).encode()
