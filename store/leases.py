"""Leases: what only one process may do at a time, until it ends or falls silent.

Not here: leases of items (items.py).
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, delete, insert, select, update

from store.schema import leases


def hold(connection: Connection, name: str, owner: str, seconds: float) -> bool:
    """Take or renew the lease; False when somebody else holds it. Call it inside one `write`."""
    now = time.time()
    row = connection.execute(select(leases).where(leases.c.name == name)).first()
    values = {"owner": owner, "until": now + seconds}
    if row is None:
        connection.execute(insert(leases).values(name=name, **values))
        return True
    if row.owner != owner and row.until > now:
        return False
    connection.execute(update(leases).where(leases.c.name == name).values(**values))
    return True


def free(connection: Connection, name: str, owner: str) -> bool:
    """Whether `hold` would be granted now."""
    row = connection.execute(select(leases).where(leases.c.name == name)).first()
    return row is None or row.owner == owner or bool(row.until <= time.time())


def release(connection: Connection, name: str, owner: str) -> None:
    """Give the lease back, so that the next one need not wait for its end."""
    connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))


def living(connection: Connection, prefix: str) -> list[str]:
    """Names that begin with `prefix` and whose holder renewed them in time."""
    mine = leases.c.name.startswith(prefix, autoescape=True) & (leases.c.until > time.time())
    return list(connection.scalars(select(leases.c.name).where(mine).order_by(leases.c.name)))
