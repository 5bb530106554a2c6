"""Which addresses the service may call on a user's word, and a connection to exactly those.

The host is resolved once, every address it has must be public, and the socket is opened to
the address that was checked: a name that resolves anew to something else gains nothing.
Redirects are not followed. Not here: what is sent (webhooks.py).
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urlsplit

from pilotfish.errors import InputError

Allowed = Callable[[str], bool]
CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5.0, 10.0, 15.0
# Written out, because Python's own table changes from version to version. Of IPv4 all is public
# but this: IANA's special-purpose blocks, and the address of Azure's host in every machine of it.
_NOT_PUBLIC_4 = tuple(ipaddress.IPv4Network(block) for block in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
))  # fmt: skip
# Of IPv6 only global unicast is, without tunnels and documentation.
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(ipaddress.IPv6Network(block) for block in (
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
))  # fmt: skip
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?")
_WEB, _FREE = (80, 443), 1024  # below that only these two: the others are no web servers


def is_public(address: str) -> bool:
    """Whether the IP address is one of the public internet, also when it wraps an IPv4 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in block for block in _NOT_PUBLIC_4)
    inner = found.ipv4_mapped
    if found in _NAT64:
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    if inner is not None:
        return is_public(str(inner))
    return found in _GLOBAL_6 and not any(found in block for block in _NOT_PUBLIC_6)


def check_url(url: str, allowed: Allowed = is_public) -> SplitResult:
    """The parts of an http(s) URL that may be called; InputError else. Asks no name server."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"webhook_url cannot be read ({error}): give https://HOST/PATH") from None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        raise InputError("webhook_url is no plain http(s) URL: give https://HOST/PATH")
    if len(url) > 2000 or any(ord(c) <= 32 or ord(c) > 126 for c in url):
        raise InputError("webhook_url holds spaces or odd characters: write it in ASCII, escaped")
    if port is not None and port not in _WEB and port < _FREE:
        raise InputError(f"webhook_url names port {port}: use 80, 443, or one from {_FREE} on")
    _check_host(host, allowed)
    return parts


def _check_host(host: str, allowed: Allowed) -> None:
    """InputError for what is no host name, and for addresses and names that are not public."""
    if not _HOST.fullmatch(host) and not _is_v6(host):
        raise InputError("webhook_url names no host: give https://HOST/PATH")
    bare = host.rstrip(".")
    try:  # also catches numbers that only look like names: 2130706433, 0x7f.1
        literal = socket.getaddrinfo(bare, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        literal = []
    local = bare == "localhost" or bare.endswith((".localhost", ".local", ".internal"))
    if local or any(not allowed(str(info[4][0])) for info in literal):
        raise InputError(f"webhook_url points to {host}, which is not public: use a public host")


def _is_v6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6 and "%" not in host
    except ValueError:
        return False


def post(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Allowed = is_public
) -> tuple[int, str]:
    """(status, reason) of one POST. OSError or InputError when it cannot be sent there."""
    parts = check_url(url, allowed)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = http.client.HTTPConnection(host, port, timeout=READ_SECONDS)
    connection.sock = _connect(host, port, allowed)
    # Each read may take READ_SECONDS: without an end, one byte at a time would hold us for ever.
    end = threading.Timer(WHOLE_SECONDS, _cut, [connection])
    end.daemon = True
    end.start()
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
            connection.default_port = 443  # what the Host header leaves out
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        answer.read(1024)
        return answer.status, answer.reason[:100]
    except http.client.HTTPException as error:
        raise ConnectionError(f"{type(error).__name__} from the receiver") from None
    finally:
        end.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _connect(host: str, port: int, allowed: Allowed) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise InputError(f"{host!r} is no host name") from None
    addresses = [str(info[4][0]) for info in found]
    if not addresses or not all(allowed(address) for address in addresses):
        raise InputError(f"{host} resolves to an address that is not public: refused")
    made = socket.create_connection((addresses[0], port), CONNECT_SECONDS)
    made.settimeout(READ_SECONDS)
    return made
