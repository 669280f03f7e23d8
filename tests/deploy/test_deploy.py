"""The container files, checked as far as a machine without a container engine can."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import logstream
from logstream import settings
from logstream.access import check_exposure
from logstream.broker import open_broker_of
from logstream.cli.group import COMMANDS, _logstream
from logstream.errors import SettingError
from logstream.store import open_store
from logstream.timestamps import duration_ns
from tests.servers.redis import RedisServer, redis_program

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = ("compose.yaml", "compose.mongodb.yaml")
OURS = f"logstream:{logstream.__version__}"
SECRETS = {
    "LOGSTREAM_API_KEYS": "key",
    "CLICKHOUSE_PASSWORD": "secret",
    "MONGODB_PASSWORD": "secret",
}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")

Services = dict[str, dict[str, Any]]


def filled(text: str, environment: dict[str, str]) -> str:
    """The text with its variables put in, as Compose does it."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if environment.get(name):
            return environment[name]
        if kind == "-":
            return rest
        raise AssertionError(f"{name} has no value: {rest}")

    return _VARIABLE.sub(value, text)


@pytest.fixture(params=COMPOSE)
def file(request: pytest.FixtureRequest) -> Path:
    """One Compose file after the other."""
    return DEPLOY / str(request.param)


@pytest.fixture
def services(file: Path) -> Services:
    """Its services, with secrets given and nothing else."""
    found: Services = yaml.safe_load(filled(file.read_text(), SECRETS))["services"]
    return found


def ours(services: Services) -> Services:
    return {name: each for name, each in services.items() if each["image"] == OURS}


def image_environment() -> dict[str, str]:
    """What the image itself sets."""
    env = re.search(r"^ENV (.*?[^\\])$", dockerfile(), re.MULTILINE | re.DOTALL)
    assert env is not None
    pairs = (pair.partition("=") for pair in env[1].replace("\\\n", " ").split())
    return {name: value for name, _, value in pairs if name.startswith("LOGSTREAM_")}


def dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text()


def test_the_services_are_all_there(file: Path, services: Services) -> None:
    """Ingestion, worker, dashboard and the two servers, and the simulator as a profile."""
    store = "mongodb" if "mongodb" in file.name else "clickhouse"
    assert set(services) == {"ingest", "worker", "dashboard", "simulator", "redis", store}
    assert services["simulator"]["profiles"] == ["simulate"]
    assert {name for name, each in services.items() if "profiles" in each} == {"simulator"}
    assert services["ingest"]["ports"] == ["127.0.0.1:3000:3000"]
    assert services["dashboard"]["ports"] == ["127.0.0.1:3001:3001"]


def test_no_password_is_shipped(file: Path) -> None:
    """Access keys and passwords have to be given: without any of them nothing starts."""
    text = file.read_text()
    store_secret = "MONGODB_PASSWORD" if "mongodb" in file.name else "CLICKHOUSE_PASSWORD"
    for secret in ("LOGSTREAM_API_KEYS", store_secret):
        with pytest.raises(AssertionError, match=secret):
            filled(text, SECRETS | {secret: ""})
    for line in text.splitlines():
        if "PASSWORD" in line or "API_KEYS" in line:
            assert ":?" in line, line
    example = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert set(example) == SECRETS.keys() | {"PUBLISH_ADDRESS", "SIMULATE_RATE"}
    assert {name for name, value in example.items() if not value} == SECRETS.keys()


def test_every_setting_exists_and_is_understood(services: Services) -> None:
    """Each LOGSTREAM_ variable is a setting, its value parses, and the URLs name what there is."""
    known = {row.env for row in settings.rows()}
    for each in ours(services).values():
        environment = image_environment() | each["environment"]
        assert environment.keys() <= known
        loaded = settings.load(environ=environment).settings
        open_broker_of(loaded)
        open_store(loaded.store_url)
        for part in ("ingest", "dashboard", "worker"):
            check_exposure(loaded, host=getattr(loaded, f"{part}_host"), setting=part)


def test_every_command_line_is_one(services: Services) -> None:
    """What containers run, and what their health checks run, the real command line takes."""
    for each in ours(services).values():
        _parse(each["command"])
        check = each["healthcheck"]
        if not check.get("disable"):
            kind, program, *arguments = check["test"]
            assert (kind, program) == ("CMD", "logstream")
            _parse(arguments)


def _parse(arguments: list[str]) -> None:
    name, *rest = arguments
    assert name in COMMANDS
    assert isinstance(_logstream, click.Group)
    command = _logstream.get_command(click.Context(_logstream), name)
    assert command is not None
    command.make_context(name, list(rest))


def test_containers_can_do_little(services: Services) -> None:
    """No capabilities, no new privileges, nobody is root; ours have a read-only file system."""
    for name, each in services.items():
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert each["restart"] == "unless-stopped"
        assert "privileged" not in each
        assert not any("docker.sock" in volume for volume in each.get("volumes", ()))
    for each in ours(services).values():
        assert each["read_only"] is True
        folders = [mount.partition(":")[0] for mount in each["tmpfs"]]
        kept = [volume.partition(":")[2] for volume in each.get("volumes", ())]
        assert folders + kept == ["/tmp", image_environment()["LOGSTREAM_DATA_DIR"]]
    for name in services.keys() - ours(services).keys():
        assert services[name]["user"] not in ("root", "0"), name
        assert "ports" not in services[name], name


def test_servers_keep_what_they_have(file: Path, services: Services) -> None:
    """Redis and the store have volumes of their own, tags that do not move and health checks."""
    whole = yaml.safe_load(filled(file.read_text(), SECRETS))
    servers = services.keys() - ours(services).keys()
    assert whole["volumes"].keys() == servers | {"dashboard"}
    for name in servers:
        [volume] = services[name]["volumes"]
        assert volume.startswith(f"{name}:/")
        assert re.search(r":\d+\.\d+(-alpine)?$", services[name]["image"])
        assert services[name]["healthcheck"]["test"]
        assert services[name]["networks"] == ["back"]
    assert whole["networks"]["back"]["internal"] is True


def test_what_users_save_is_kept(services: Services) -> None:
    """The dashboard's own folder is a volume: what users save lasts; no other's is."""
    assert services["dashboard"]["volumes"] == [
        f"dashboard:{image_environment()['LOGSTREAM_DATA_DIR']}"
    ]
    assert [name for name, each in ours(services).items() if "volumes" in each] == ["dashboard"]


def test_each_waits_for_what_it_needs(services: Services) -> None:
    """Parts start when the servers they need are healthy, and are given time to stop."""
    servers = services.keys() - ours(services).keys()
    for name, each in ours(services).items():
        needed = {"ingest": {"redis"}, "simulator": {"ingest"}}.get(name, servers)
        assert each["depends_on"].keys() == needed
        assert all(how == {"condition": "service_healthy"} for how in each["depends_on"].values())
        loaded = settings.load(environ=each["environment"]).settings
        grace_ns = duration_ns(each["stop_grace_period"])
        assert grace_ns is not None
        assert grace_ns / 1e9 > loaded.shutdown_timeout_s + loaded.drain_delay_s


def test_redis_takes_its_arguments_and_is_safe(services: Services) -> None:
    """A real Redis started like this loses at most a second, and refuses rather than evicts."""
    if redis_program() is None:
        pytest.skip("there is no redis-server")
    program, *arguments = services["redis"]["command"]
    assert program == "redis-server"
    server = RedisServer(arguments)
    try:
        server.start()
        assert "aof_enabled:1" in server.ask("INFO", "persistence")
        memory = server.ask("INFO", "memory")
        assert "maxmemory_policy:noeviction" in memory
        limit = re.search(r"maxmemory:(\d+)", memory)
        assert limit is not None
        loaded = settings.load(environ=services["ingest"]["environment"]).settings
        assert loaded.broker_capacity_bytes < int(limit[1])
        assert arguments[arguments.index("--appendfsync") + 1] == "everysec"
    finally:
        server.close()


def test_the_image() -> None:
    """Pinned bases, dependencies by hash, no index, no root, and a way to ask how it is."""
    text = dockerfile()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(re.search(r":\d+(\.\d+)?-", base) for base in bases)
    assert text.count("--require-hashes") == 1
    assert "index" not in text.lower().replace("__index", "")
    assert not re.search(r"https?://|curl|wget|^ADD ", text, re.MULTILINE)
    final = text.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", final, re.MULTILINE)
    assert '["logstream", "health"]' in final
    assert 'ENTRYPOINT ["logstream"]' in final
    assert "COPY --from=package" in final
    assert f"logstream:{logstream.__version__} " in text
    loaded = settings.load(environ=image_environment()).settings
    with pytest.raises(SettingError, match="access keys"):
        check_exposure(loaded, host=loaded.ingest_host, setting="ingest_host")


def test_what_is_copied_into_the_image_is_there() -> None:
    """Every source of a COPY exists and is not ignored; what is built elsewhere stays out."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile(), re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source in kept or source.partition("/")[0] in kept, source
    for folder in ("src/logstream/dashboard/web", "**/node_modules", "**/__pycache__"):
        assert folder in ignored


def test_the_linter_has_nothing_to_say() -> None:
    """hadolint, where it is installed."""
    beside = Path(sys.executable).parent / "hadolint"
    program = shutil.which("hadolint") or (str(beside) if beside.exists() else None)
    if program is None:
        pytest.skip("there is no hadolint")
    done = subprocess.run(
        [program, str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_compose_understands_it(file: Path) -> None:
    """`docker compose config`, where there is Compose."""
    program = _compose()
    if program is None:
        pytest.skip("there is no docker compose")
    done = subprocess.run(
        [*program, "-f", str(file), "--profile", "simulate", "config", "--quiet"],
        env=SECRETS | {"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _compose() -> list[str] | None:
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None
