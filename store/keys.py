"""Bearer keys of the service: stored as sha256, shown once, several at a time for a tenant.

A tenant sees its own collections only: their stored name begins with its own. Not here: how
requests are checked (workers/access.py).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from pilotfish.errors import InputError, NotFound
from store.schema import keys

PREFIX = "pf-"
SEPARATOR = "~"  # between tenant and collection; no collection's own name may hold it
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Key:
    """A key's row, without the secret. `tenant` "" sees the collections made locally."""

    id: str
    tenant: str
    name: str
    admin: bool
    created: float
    expires: float | None
    requests_per_minute: int | None
    concurrency: int | None


_COLUMNS = [keys.c[name] for name in Key.__slots__]


def create(
    connection: Connection, tenant: str, name: str, *, admin: bool = False,
    requests_per_minute: int | None = None, concurrency: int | None = None,
) -> tuple[Key, str]:  # fmt: skip
    """(the new key, its secret, which is shown this once)."""
    if tenant and not _TENANT.fullmatch(tenant):
        raise InputError(f"tenant {tenant!r}: use up to 32 small letters, digits and hyphens")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = {"id": f"key_{secrets.token_hex(6)}", "tenant": tenant, "name": name}
    connection.execute(insert(keys).values(
        **row, sha256=_hash(secret), admin=int(admin), created=time.time(), expires=None,
        requests_per_minute=requests_per_minute, concurrency=concurrency,
    ))  # fmt: skip
    return find(connection, row["id"]), secret


def find(connection: Connection, key_id: str) -> Key:
    """The key of that id."""
    row = connection.execute(select(*_COLUMNS).where(keys.c.id == key_id)).first()
    if row is None:
        raise NotFound(f"no key {key_id!r}: see pilotfish keys list")
    return _key(row)


def of_secret(connection: Connection, secret: str) -> Key | None:
    """Whose secret this is; None for an unknown or expired one."""
    row = connection.execute(select(*_COLUMNS).where(keys.c.sha256 == _hash(secret))).first()
    if row is None or (row.expires is not None and row.expires <= time.time()):
        return None
    return _key(row)


def listing(connection: Connection) -> list[Key]:
    """All keys, oldest first."""
    return [_key(row) for row in connection.execute(select(*_COLUMNS).order_by(keys.c.created))]


def any_left(connection: Connection) -> bool:
    """Whether any key works: without one the service answers to this machine only."""
    working = keys.c.expires.is_(None) | (keys.c.expires > time.time())
    return connection.execute(select(keys.c.id).where(working).limit(1)).first() is not None


def expire(connection: Connection, key_id: str, after: float = 0.0) -> None:
    """Let the key work for `after` more seconds only."""
    find(connection, key_id)
    connection.execute(update(keys).where(keys.c.id == key_id).values(expires=time.time() + after))


def stored_name(tenant: str, collection: str) -> str:
    """What a tenant's collection is called in the database and on disk."""
    return f"{tenant}{SEPARATOR}{collection}" if tenant else collection


def shown_name(tenant: str, stored: str) -> str | None:
    """What the tenant calls it; None when it is not the tenant's."""
    owner, separator, name = stored.partition(SEPARATOR)
    if not separator:
        return stored if not tenant else None
    return name if tenant and owner == tenant else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: object) -> Key:
    values = {name: getattr(row, name) for name in Key.__slots__}
    return Key(**{**values, "admin": bool(values["admin"])})
