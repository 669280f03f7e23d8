"""The command group: finds a command's module by name and shows errors as one clear line."""

from __future__ import annotations

import difflib
import importlib
import os
import sys

import click

from logstream import __version__
from logstream.cli import exits
from logstream.cli.terminal import neutral
from logstream.errors import LogStreamError

__all__ = ["COMMANDS", "run"]

COMMANDS = (
    "up", "ingest", "worker", "dashboard", "simulate",
    "send", "query", "tail", "status", "health", "migrate", "config",
)  # fmt: skip
"""Every command, in the order in which ``--help`` shows them; each is a module of this package."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"logstream.cli.{name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = difflib.get_close_matches(args[0], COMMANDS, 1)
        if near and args[0] not in COMMANDS:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as exc:
            raise _ReaderGone from exc  # click would make it an exit code of its own


class _ReaderGone(Exception):
    """Nobody reads our output any more."""


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="logstream")
def _logstream() -> None:
    """LogStream AI: a log platform in one command.

    `logstream up` starts everything; `logstream send FILE` brings logs in; `logstream query`
    finds them.
    """


def run(arguments: list[str]) -> int:
    """Run one command line; errors go to standard error, the answer is the exit code."""
    try:
        code = _logstream.main(arguments, prog_name="logstream", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return exits.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return exits.USAGE
    except LogStreamError as error:
        report(error)
        return exits.code_of(error)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except (BrokenPipeError, _ReaderGone):
        # The interpreter must not try to flush to whoever read our output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    return code if isinstance(code, int) else exits.OK


def report(error: LogStreamError) -> None:
    """One line that says what is wrong, and one that says what to do about it."""
    click.echo(f"logstream: {neutral(error.message)}", err=True)
    expected = getattr(error, "expected", ())
    if expected:
        click.echo(f"  expected: {neutral(', '.join(expected))}", err=True)
    if error.hint:
        click.echo(f"  hint: {neutral(error.hint)}", err=True)
