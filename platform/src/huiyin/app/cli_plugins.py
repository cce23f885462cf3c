"""Commands that plugins add: ``huiyin <group> <name> …``."""

from __future__ import annotations

import sys
import threading
from typing import Final

import click

from huiyin.plugins.terms import PluginCommand

AGAIN: Final = 75  # of sysexits: a mail server tries again, and bounces at what it does not know
_TAKES_ALL: Final = {"ignore_unknown_options": True, "help_option_names": []}


class Commands(click.Group):
    """The platform's own commands, and after them those of the plugins in use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_groups()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        return own or _groups().get(cmd_name)


def _groups() -> dict[str, click.Group]:
    from huiyin.plugins.host import PluginHost, listed  # noqa: PLC0415 - brings the plugins along

    groups: dict[str, click.Group] = {}
    for plugin in PluginHost(listed()).plugins.values():
        for command in plugin.declared.commands:
            group = groups.setdefault(
                command.group, click.Group(command.group, help=f"Of the plugin {plugin.name}.")
            )
            group.add_command(_made(plugin.name, command), command.name)
    return groups


def _made(plugin: str, command: PluginCommand) -> click.Command:
    @click.command(command.name, help=command.help, context_settings=_TAKES_ALL)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        from huiyin.app.compose import install  # noqa: PLC0415 - this command only
        from huiyin.app.settings import Settings  # noqa: PLC0415
        from huiyin.plugins.listening import ServiceContext  # noqa: PLC0415

        try:
            installation = install(Settings.read(), migrate=False)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it may be over the next time
            sys.stderr.write(f"not started ({type(fault).__name__}), try again later\n")
            sys.exit(AGAIN)
        try:
            ctx = ServiceContext(
                plugin=plugin, stopping=threading.Event(), host=installation.host,
                engine=installation.engine,
            )  # fmt: skip
            sys.exit(command.run(ctx, arguments))
        finally:
            installation.close()

    return run
