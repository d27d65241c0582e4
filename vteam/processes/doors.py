"""Whether a process of ours answers at its door, as its health tells."""

import http.client
import ipaddress

HEALTH_SECONDS_MAX = 1.0


def reachable(host: str) -> str:
    """The address at which this machine reaches a process listening on `host`."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return host


def answers(host: str, port: int) -> bool:
    """Whether /healthz answers 200."""
    connection = http.client.HTTPConnection(host, port, timeout=HEALTH_SECONDS_MAX)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
