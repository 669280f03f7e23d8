"""Records as somebody would write them who wants the page to break."""

from __future__ import annotations

from collections.abc import Mapping

SERVICE = "hostile"
RUN = "window.ran=1;alert(1)"

MESSAGES = {
    "script": f"<script>{RUN}</script>",
    "image": f'<img src=x onerror="{RUN}">',
    "svg": f"</span></div><svg/onload='{RUN}'>",
    "template": "{{constructor.constructor('window.ran=1')()}} ${window.ran=1}",
    "link": "javascript:window.ran=1 https://example.invalid/\"onmouseover='window.ran=1'",
    "ansi": "\x1b[31mred\x1b[0m \x1b]8;;javascript:window.ran=1\x07link\x1b]8;;\x07 \x1b[2J\x1b[H",
    "bidi": "user\u202egnp.exe\u2066 \u200bzero\u200dwidth\ufeff \u0007bell \u0000null",
    "combining": "Z" + "\u0351\u0352\u0353" * 400,
    "lines": "first\n" * 3_000,
    "brackets": "[" * 30_000,
    "million": "<b>x</b>" * (1 << 17),
}


def records(service: str = SERVICE) -> list[Mapping[str, object]]:
    """One of each, and one with more attributes than are kept."""
    made: list[Mapping[str, object]] = [
        {
            "level": "error",
            "service": service,
            "message": f"{name} {message}",
            "kind": name,
            f"<img src=x onerror={RUN}>": message[:200],
        }
        for name, message in MESSAGES.items()
    ]
    many = {f"attribute.{number}": f"<i>{number}</i>" for number in range(2_000)}
    made.append({"level": "error", "service": service, "message": "attributes many", **many})
    return made
