"""``huiyin mail deliver``: one mail on the standard input, for a mail server that pipes.

Exit codes are those of sysexits: 0 kept, 67 no such firm, 69 too large, 75 try again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from huiyin.sdk import NotFound, ServiceContext, TooLarge
from huiyin_channel_email import limits
from huiyin_channel_email.intake import authserv, firm_of, take

KEPT: Final = 0
USAGE: Final = 64
NO_USER: Final = 67
TOO_LARGE: Final = 69
AGAIN: Final = 75


def deliver(ctx: ServiceContext, arguments: Sequence[str]) -> int:
    """Keep the mail on the standard input for one firm."""
    parser = argparse.ArgumentParser(prog="huiyin mail deliver", exit_on_error=False)
    to = parser.add_mutually_exclusive_group(required=True)
    to.add_argument("--tenant", help="slug of the firm")
    to.add_argument("--to", help="the address it was sent to: <slug>@HUIYIN_MAIL_DOMAIN")
    parser.add_argument("--from", dest="sender", help="the sender of the envelope")
    try:
        given = parser.parse_args(list(arguments))
    except (argparse.ArgumentError, SystemExit):
        return USAGE
    sender = os.environ.get("SENDER") if given.sender is None else given.sender
    data = sys.stdin.buffer.read(limits.LARGEST + 1)
    try:
        receipt = take(
            ctx, given.tenant or firm_of(given.to), data, sender=sender,
            recipient=given.to or "", checked_by=authserv(),
        )  # fmt: skip
    except NotFound:
        sys.stderr.write("there is no such firm, or it does not take mail\n")
        return NO_USER
    except TooLarge:
        sys.stderr.write("the mail is larger than 30 MB\n")
        return TOO_LARGE
    except Exception as fault:  # noqa: BLE001 - nothing was committed: the server tries again
        sys.stderr.write(f"not kept ({type(fault).__name__}), try again later\n")
        return AGAIN
    sys.stdout.write(f"kept as {receipt.id}\n")
    return KEPT
