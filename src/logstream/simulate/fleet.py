"""The fleet that the simulator plays: the services of a shop and what their requests do."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "BACKGROUND",
    "FLOWS",
    "HOSTS_PER_SERVICE",
    "REGIONS",
    "SERVICES",
    "Background",
    "Flow",
    "Step",
]

SERVICES = (
    "gateway", "auth", "catalog", "search", "recommendation", "cart",
    "checkout", "payment", "inventory", "shipping", "notification",
)  # fmt: skip
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
HOSTS_PER_SERVICE = 3


class Step(NamedTuple):
    """One service's part in a request.

    ``parent`` is the index of the calling step (-1: none), ``mean_ms`` how long the service takes
    itself, ``message`` what it logs when all is well; names in it are filled from the request.
    """

    service: str
    parent: int
    mean_ms: float
    message: str
    level: str = "info"


class Flow(NamedTuple):
    """A kind of request: how often it comes among all, and the steps in order of their start."""

    method: str
    route: str
    weight: int
    steps: tuple[Step, ...]


class Background(NamedTuple):
    """What a service logs without a request."""

    service: str
    level: str
    weight: int
    message: str


_ENTRY = "%(method)s %(path)s"

FLOWS = (
    Flow("GET", "/api/products", 30, (
        Step("gateway", -1, 4, _ENTRY),
        Step("auth", 0, 3, "session %(session)s valid for user %(user)s", "debug"),
        Step("catalog", 0, 12, "listed 24 products of category %(category)s"),
        Step("recommendation", 0, 25, "ranked 24 products for user %(user)s"),
    )),
    Flow("GET", "/api/products/%(product)s", 28, (
        Step("gateway", -1, 4, _ENTRY),
        Step("catalog", 0, 8, "product %(product)s read from cache", "debug"),
        Step("inventory", 1, 6, "stock of %(product)s is %(quantity)s in warehouse %(warehouse)s"),
    )),
    Flow("GET", "/api/search", 18, (
        Step("gateway", -1, 4, _ENTRY),
        Step("search", 0, 35, "query '%(word)s' matched %(hits)s products"),
        Step("search", 1, 5, "index shard 3 answered in %(shard_ms)s ms", "debug"),
    )),
    Flow("POST", "/api/cart/items", 12, (
        Step("gateway", -1, 4, _ENTRY),
        Step("auth", 0, 3, "session %(session)s valid for user %(user)s", "debug"),
        Step("cart", 0, 9, "added %(quantity)s x %(product)s to cart %(cart)s"),
        Step("inventory", 2, 6, "reserved %(quantity)s of %(product)s for 15 min"),
    )),
    Flow("POST", "/api/checkout", 8, (
        Step("gateway", -1, 5, _ENTRY),
        Step("auth", 0, 3, "session %(session)s valid for user %(user)s", "debug"),
        Step("checkout", 0, 20, "order %(order)s placed by user %(user)s, total %(total)s EUR"),
        Step("inventory", 2, 7, "took %(quantity)s of %(product)s out of warehouse %(warehouse)s"),
        Step("payment", 2, 90, "charged %(total)s EUR for order %(order)s"),
        Step("shipping", 2, 15, "parcel for order %(order)s booked with %(carrier)s"),
        Step("notification", 2, 30, "mail order-confirmation sent to user %(user)s"),
    )),
    Flow("POST", "/api/login", 6, (
        Step("gateway", -1, 4, _ENTRY),
        Step("auth", 0, 45, "user %(user)s logged in from %(ip)s"),
    )),
)  # fmt: skip
"""Every kind of request, in order of weight."""

BACKGROUND = (
    Background("gateway", "debug", 8, "health check answered in %(shard_ms)s ms"),
    Background("catalog", "info", 4, "cache refreshed: %(hits)s products, 0 errors"),
    Background("search", "info", 3, "segment merge finished, %(hits)s documents"),
    Background("inventory", "warn", 2, "slow query: SELECT * FROM stock took %(slow_ms)s ms"),
    Background("payment", "debug", 3, "connection pool: 8 busy, 12 idle"),
    Background("cart", "info", 2, "evicted %(hits)s expired carts"),
    Background("shipping", "warn", 1, "carrier %(carrier)s answered 429, retry in 2 s"),
    Background("auth", "warn", 2, "failed login for user %(user)s from %(ip)s: bad password"),
    Background("recommendation", "trace", 3, "feature vector of user %(user)s loaded"),
)
"""What is logged beside requests."""
