"""``logstream simulate``: traffic like a real fleet's, and the proof that all of it arrived."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import click

from logstream.cli import exits
from logstream.cli.options import (
    api_key_of,
    api_key_option,
    dashboard,
    ingest_url,
    settings_options,
)
from logstream.cli.process import run_until_stopped
from logstream.errors import SettingError
from logstream.settings import Resolved
from logstream.simulate import (
    SCENARIOS,
    Ledger,
    Plan,
    Progress,
    Verdict,
    new_run,
    read_ledger,
    simulate,
    verify,
)

__all__ = ["command"]

_PROGRESS_EVERY_S = 5.0


@click.command(short_help="Send traffic like a real fleet's.")
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    default=200.0,
    show_default=True,
    help="Records a second, on average.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=0.0,
    help="How long; 0: until stopped.  [default: 0, with --verify 10]",
)
@click.option("--scenario", type=click.Choice(SCENARIOS), default="mixed", show_default=True)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Equal seeds give equal records."
)
@click.option("--connections", type=click.IntRange(1, 1000), default=4, show_default=True)
@click.option(
    "--batch",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Most records in one request; 1: single-log requests.",
)
@click.option(
    "--verify",
    "verifying",
    is_flag=True,
    help="Afterwards prove that each record is stored exactly once.",
)
@click.option("--verify-only", is_flag=True, help="Send nothing, verify the run of --ledger.")
@click.option(
    "--verify-timeout",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest wait for records to become searchable.",
)
@click.option(
    "--drain",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long unanswered requests are tried after the end.",
)
@click.option(
    "--ledger",
    "ledger_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to note what was sent and acknowledged.  [default: in data_dir, with --verify]",
)
@click.option("--quiet", is_flag=True, help="Print no progress.")
@click.option("--url", default="", help="The ingestion API's URL.")
@click.option("--dashboard-url", "ui_url", default="", help="The dashboard's URL.")
@api_key_option
@settings_options("data_dir", "ingest_host", "ingest_port", "dashboard_host", "dashboard_port")
def command(
    *,
    rate: float,
    seconds: float,
    scenario: str,
    seed: int,
    connections: int,
    batch: int,
    verifying: bool,
    verify_only: bool,
    verify_timeout: float,
    drain: float,
    ledger_path: Path | None,
    quiet: bool,
    url: str,
    ui_url: str,
    api_key: str,
    resolved: Resolved,
    given: dict[str, str],
) -> int:
    """Send traffic like a real fleet's: a shop's services with correlated traces, bursts, a
    deploy, an incident.

    With --verify the command keeps a ledger, survives restarts of the other side, and ends with
    exit code 1 if any acknowledged record is missing or any record is stored twice.
    """
    if verify_only and ledger_path is None:
        raise click.UsageError("--verify-only needs --ledger")
    if not verify_only:
        plan = Plan(
            url=ingest_url(url, resolved), api_key=api_key_of(api_key, resolved.settings),
            run=new_run(), scenario=scenario, rate=rate,
            seconds=seconds or (10.0 if verifying else 0.0), seed=seed,
            connections=connections, batch=batch, drain_s=drain,
        )  # fmt: skip
        if ledger_path is None and verifying:
            ledger_path = resolved.settings.data_dir / "simulate" / f"{plan.run}.ledger"
        progress = _send(plan, ledger_path, quiet=quiet)
        if not verifying:
            return exits.OK if not (progress.refused or progress.unanswered) else exits.NEGATIVE
    assert ledger_path is not None  # noqa: S101 – one of the two branches above set it
    connection = dashboard(ui_url, api_key, resolved)
    try:
        outcome = read_ledger(ledger_path)
    except OSError as exc:
        raise SettingError(f"the ledger {ledger_path} cannot be read: {exc}") from exc
    began_s = time.monotonic()
    verdict = verify(connection, outcome, timeout_s=verify_timeout)
    _show(verdict, outcome.run, time.monotonic() - began_s)
    return exits.OK if verdict.good else exits.NEGATIVE


def _send(plan: Plan, path: Path | None, *, quiet: bool) -> Progress:
    start_ns = time.time_ns()
    try:
        ledger = Ledger(path, plan.run, start_ns) if path else None
    except OSError as exc:
        raise SettingError(f"the ledger {path} cannot be written: {exc}") from exc
    progress = Progress()

    async def main(stop: asyncio.Event) -> None:
        telling = None if quiet else asyncio.create_task(_tell(progress))
        try:
            await simulate(plan, stop=stop, ledger=ledger, progress=progress, start_ns=start_ns)
        finally:
            if telling is not None:
                telling.cancel()

    began_s = time.monotonic()
    try:
        run_until_stopped(main)
    finally:
        if ledger is not None:
            ledger.close()
    took_s = time.monotonic() - began_s
    if not quiet:
        click.echo(
            f"sent {progress.made:,} records in {took_s:.1f} s ({progress.made / took_s:,.0f}/s): "
            f"{progress.acknowledged:,} acknowledged, {progress.refused:,} refused, "
            f"{progress.unanswered:,} unanswered, {progress.retries:,} requests tried again"
        )
        if progress.last_error:
            click.echo(f"last trouble: {progress.last_error}")
    return progress


async def _tell(progress: Progress) -> None:
    before = 0
    while True:
        await asyncio.sleep(_PROGRESS_EVERY_S)
        now = progress.acknowledged
        line = f"{(now - before) / _PROGRESS_EVERY_S:,.0f} records/s, {now:,} acknowledged"
        before = now
        if progress.refused:
            line += f", {progress.refused:,} refused"
        if progress.retries:
            line += f", {progress.retries:,} tries again (last: {progress.last_error})"
        if progress.behind_s > 1:
            line += f", {progress.behind_s:.0f} s behind: lower --rate or raise --connections"
        click.echo(line)


def _show(verdict: Verdict, run: str, took_s: float) -> None:
    rows = [
        ("sent", verdict.sent, ""),
        ("acknowledged", verdict.acknowledged, "must be stored exactly once"),
        ("refused", verdict.refused, "must not be stored"),
        (
            "unanswered",
            verdict.unanswered,
            f"may be stored once; {verdict.unanswered_stored:,} are",
        ),
        ("stored", verdict.stored, ""),
        ("lost", verdict.lost, "acknowledged and not stored"),
        ("doubled", verdict.doubled, "stored more than once"),
        ("refused, yet stored", verdict.refused_stored, ""),
        ("unknown", verdict.unknown, "stored under this run's name and never sent"),
    ]
    click.echo(f"run {run}, verified in {took_s:.1f} s")
    for name, number, meaning in rows:
        click.echo(f"  {name:<20} {number:>12,}  {meaning}".rstrip())
    click.echo("verified: nothing lost, nothing doubled" if verdict.good else "NOT VERIFIED")
