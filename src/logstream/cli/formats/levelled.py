"""Lines that start with a time: Java's, Python's, Go's and most other programs' own logs.

The time comes first, then in some order a level, a process or thread, the logger's name, and
the message. What is not recognised stays in the message: nothing is dropped.
"""

from __future__ import annotations

import re
from typing import Any

from logstream.cli.formats.base import MONTHS, Context, Format, Parsed, moment_ns

__all__ = ["LEVELLED"]

_LEVEL = (
    r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|SEVERE|CRIT(?:ICAL)?|FATAL|ALERT|EMERG"
    r"|PANIC|FINEST|FINER|FINE|CONFIG|LOG)"
)
_CLOCK = r"(?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?"
_ZONE = r"(?: ?(?P<z>Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:]))?"
_TIMES = tuple(
    re.compile(r"\[?" + pattern + r"\]?(?=\W|$)")
    for pattern in (
        # 2015-07-29 17:41:44,747 and 2015/07/29T17:41:44.747+02:00
        r"(?P<y>\d{4})[-/](?P<m>\d\d)[-/](?P<d>\d\d)[T ]" + _CLOCK + _ZONE,
        # 17/06/09 20:10:40 (Spark: year, month, day)
        r"(?P<y>\d\d)/(?P<m>\d\d)/(?P<d>\d\d) " + _CLOCK,
        # 081109 203615 (HDFS)
        r"(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d) (?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?P<f>)(?=\s)",
        # 29-Jul-2015 17:41:44.747 (Tomcat), 29/Jul/2015:17:41:44 +0000
        r"(?P<d>\d\d)[-/ ](?P<m>[A-Z][a-z][a-z])[-/ ](?P<y>\d{4})[: ]" + _CLOCK + _ZONE,
    )
)
_NAME = r"[\w.$@/-]*[\w$]"
_HEADERS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        # Zookeeper: "- INFO  [thread:Logger@774] - text"
        (
            rf"(?:- )?(?P<level>{_LEVEL})\s+\[(?P<thread>.*):(?P<logger>{_NAME})@(?P<line>\d+)\] - "
            r"(?P<message>.*)"
        ),
        # Spring Boot: "INFO 123 --- [main] c.f.Bar : text"
        (
            rf"(?P<level>{_LEVEL})\s+(?P<pid>\d+) --- \[\s*(?P<thread>[^\]]*)\]\s+"
            rf"(?P<logger>\S+)\s+: (?P<message>.*)"
        ),
        # HDFS: "148 INFO dfs.DataNode$PacketResponder: text"
        rf"(?P<pid>\d+)\s+(?P<level>{_LEVEL})\s+(?P<logger>{_NAME}): (?P<message>.*)",
        # Python's usual formats: "name - LEVEL - text", "LEVEL:name:text"
        rf"- (?P<logger>{_NAME}) - (?P<level>{_LEVEL}) - (?P<message>.*)",
        rf"(?P<level>{_LEVEL}):(?P<logger>{_NAME}):(?P<message>.*)",
        # Logback, Log4j: "[main] INFO  com.foo.Bar - text", "INFO  [main] com.foo.Bar - text"
        (
            rf"\[(?P<thread>[^\]]+)\]\s+(?P<level>{_LEVEL})\s+(?P<logger>{_NAME})\s+[-:] "
            r"(?P<message>.*)"
        ),
        (
            rf"[\[(]?(?P<level>{_LEVEL})[\])]?\s+\[(?P<thread>[^\]]+)\]\s+(?P<logger>{_NAME})"
            r"(?:\s+[-:]|:) (?P<message>.*)"
        ),
        # Spark: "INFO spark.SecurityManager: text", "INFO com.foo.Bar - text"
        rf"(?P<level>{_LEVEL})\s+(?P<logger>{_NAME})(?:\s+[-:]|:) (?P<message>.*)",
        # nginx's error log: "[error] 123#0: *1 text"; PostgreSQL: "[123] ERROR:  text"
        rf"\[(?P<level>(?i:{_LEVEL}))\] (?P<pid>\d+)#(?P<tid>\d+): (?P<message>.*)",
        rf"\[(?P<pid>\d+)\](?: \S+@\S+)? (?P<level>{_LEVEL}):\s+(?P<message>.*)",
        # A level alone, bare or in brackets, before or after a bracketed something.
        rf"[-|: ]*[\[(<](?P<level>(?i:{_LEVEL}))[\])>]:?\s*[-|]?\s*(?P<message>.*)",
        rf"[-|: ]*(?P<level>{_LEVEL})(?!\w)\s*[-|:]?\s*(?P<message>.*)",
        rf"[-|: ]*\[(?P<thread>[^\]]+)\]\s+[\[(]?(?P<level>{_LEVEL})[\])]?:?\s+(?P<message>.*)",
    )
)
# klog, glog: "I0729 17:41:44.747000     123 file.go:12] text"
_KLOG = re.compile(
    r"(?P<level>[IWEF])(?P<m>\d\d)(?P<d>\d\d) " + _CLOCK + r"\s+(?P<tid>\d+) "
    r"(?P<logger>[\w./-]+):(?P<line>\d+)\] (?P<message>.*)"
)
_KEYS = (
    ("level", "level"),
    ("logger", "logger"),
    ("code.lineno", "line"),
    ("thread.name", "thread"),
    ("thread.id", "tid"),
    ("process.pid", "pid"),
)


def _parse(line: str, context: Context) -> Parsed | None:
    if line[:1] in "IWEF":
        return _klog(line, context)
    for pattern in _TIMES:
        match = pattern.match(line)
        if match is not None:
            ns = _time(match, context)
            return None if ns is None else Parsed(_header(line[match.end() :].strip()), ns)
    return None


def _time(match: re.Match[str], context: Context) -> int | None:
    named = match.groupdict()
    year = int(named["y"]) if named.get("y") else None
    if year is not None and year < 100:
        year += 2000 if year < 70 else 1900
    month = MONTHS.get(named["m"]) if named["m"].isalpha() else int(named["m"])
    if month is None:
        return None
    clock = (int(named["H"]), int(named["M"]), int(named["S"]))
    return moment_ns(
        context, year, month, int(named["d"]), clock, fraction=named["f"], offset=named.get("z")
    )


def _klog(line: str, context: Context) -> Parsed | None:
    match = _KLOG.fullmatch(line)
    ns = _time(match, context) if match is not None else None
    return None if match is None or ns is None else Parsed(_fields(match), ns)


def _header(rest: str) -> dict[str, Any]:
    for pattern in _HEADERS:
        match = pattern.fullmatch(rest)
        if match is not None:
            return _fields(match)
    return {"message": rest}


def _fields(match: re.Match[str]) -> dict[str, Any]:
    named = match.groupdict()
    fields: dict[str, Any] = {"message": named["message"]}
    for key, group in _KEYS:
        if named.get(group):
            fields[key] = named[group].strip()
    return fields


LEVELLED = Format("levelled", "a time, then a level and a message", _parse, open_ended=True)
