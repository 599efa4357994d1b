"""Waits until the volumes of a SeaweedFS have reported to its master: before that it can neither store nor read.

usage: seaweedfs_ready.py HOST:PORT SECONDS

The address is that of the master. The port for S3 opens earlier, and serves requests that need no volume.
"""

import http.client
import json
import sys
import time


def main():
    address, seconds = sys.argv[1:]
    deadline = time.monotonic() + float(seconds)
    while True:
        reply = ask(address)
        if nodes(reply):
            return
        if time.monotonic() > deadline:
            sys.exit(f"The master on {address} knows no volumes: {reply}")
        time.sleep(0.05)


def ask(address):
    """What the master knows; nothing while it does not reply."""
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("GET", "/dir/status")
        return json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"error": repr(error)}
    finally:
        connection.close()


def nodes(reply):
    centers = reply.get("Topology", {}).get("DataCenters") or []
    return [node for center in centers for rack in center.get("Racks") or [] for node in rack.get("DataNodes") or []]


if __name__ == "__main__":
    main()
