"""Commands that plugins add."""

from click.testing import CliRunner

from huiyin.app import compose
from huiyin.app.cli import main


def test_a_mail_is_asked_for_again_while_the_installation_cannot_start(monkeypatch):
    def away(*_, **__):
        raise ConnectionError("the database is away")

    monkeypatch.setattr(compose, "install", away)
    told = CliRunner().invoke(
        main, ["mail", "deliver", "--tenant", "qinghe"], input=b"From: a@b.cn"
    )
    assert told.exit_code == 75
    assert "ConnectionError" in told.output
