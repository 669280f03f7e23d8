"""What happens to the fleet over time: how much traffic there is, and what goes wrong when.

Everything here is a pure function of the seconds since the start.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from logstream.simulate.fleet import HOSTS_PER_SERVICE

__all__ = ["SCENARIOS", "Moment", "moment"]

SCENARIOS = ("steady", "burst", "deploy", "incident", "mixed")

_BURST_EVERY_S, _BURST_S, _BURST_FACTOR = 60.0, 10.0, 2.5
# What lies between bursts is thinned so that the mean stays the rate that was asked for.
_CALM_FACTOR = (_BURST_EVERY_S - _BURST_S * _BURST_FACTOR) / (_BURST_EVERY_S - _BURST_S)
_DEPLOY_EVERY_S, _DEPLOY_AT_S, _DEPLOY_S = 120.0, 3.0, 9.0
_INCIDENT_EVERY_S, _INCIDENT_AT_S, _INCIDENT_S = 180.0, 5.0, 30.0
_DAY_S = 600.0
_DEPLOYED = ("checkout", "catalog", "search", "cart")


class Moment(NamedTuple):
    """The state of things.

    ``traffic`` multiplies the rate; ``error_share`` is how many requests fail for no special
    reason; ``deployed`` says which service's new release is being rolled out, on hosts below
    ``new_hosts``; ``releases`` counts roll-outs that have begun; ``payment_down`` is true while
    the payment provider does not answer.
    """

    traffic: float = 1.0
    error_share: float = 0.004
    deployed: str = ""
    new_hosts: int = 0
    releases: int = 0
    payment_down: bool = False


def moment(scenario: str, elapsed_s: float) -> Moment:
    """The state ``elapsed_s`` after the start; one simulated day of *mixed* lasts ten minutes."""
    mixed = scenario == "mixed"
    now = Moment()
    if mixed:
        now = now._replace(traffic=1.0 + 0.4 * math.sin(2 * math.pi * elapsed_s / _DAY_S))
    if scenario == "burst" or mixed:
        burst = elapsed_s % _BURST_EVERY_S >= _BURST_EVERY_S - _BURST_S
        now = now._replace(traffic=now.traffic * (_BURST_FACTOR if burst else _CALM_FACTOR))
    if scenario == "deploy" or mixed:
        now = _deploy(now, elapsed_s)
    if scenario == "incident" or mixed:
        phase = elapsed_s % _INCIDENT_EVERY_S - _INCIDENT_AT_S
        now = now._replace(payment_down=0 <= phase < _INCIDENT_S)
    return now


def _deploy(now: Moment, elapsed_s: float) -> Moment:
    cycle, phase_s = divmod(elapsed_s - _DEPLOY_AT_S, _DEPLOY_EVERY_S)
    if cycle < 0:
        return now
    rolling = phase_s < _DEPLOY_S
    started = int(phase_s / _DEPLOY_S * HOSTS_PER_SERVICE) + 1
    return now._replace(
        releases=int(cycle) + 1,
        deployed=_DEPLOYED[int(cycle) % len(_DEPLOYED)],
        new_hosts=started if rolling else HOSTS_PER_SERVICE,
        error_share=0.03 if rolling else now.error_share,
    )


def release_of(service: str, host: int, now: Moment) -> int:
    """How many releases the service's host is ahead of the first one."""
    if service not in _DEPLOYED or not now.releases:
        return 0
    whole, rest = divmod(now.releases, len(_DEPLOYED))
    done = whole + (_DEPLOYED.index(service) < rest)
    if service == now.deployed and host >= now.new_hosts:
        return done - 1
    return done
