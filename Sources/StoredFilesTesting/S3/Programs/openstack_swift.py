"""OpenStack Swift with the S3 API on the loopback interface: one replica, one device, all in one folder.

usage: openstack_swift.py FOLDER PORT ACCESS_KEY SECRET_KEY [CERTIFICATE KEY]

A parent imports Swift once and forks its four servers, which is quicker than to start four programs. The port accepts
connections when all four are ready, and not before. The servers end with the parent, however that ends.
"""

import logging
import os
import signal
import socket
import sys
import threading
from time import monotonic

from swift.common import wsgi
from swift.common.ring import RingBuilder

BACKENDS = ("account", "container", "object")

FILTERS = {
    "catch_errors": {},
    "gatekeeper": {},
    "healthcheck": {},
    # No memcached: there is one proxy process, so what it remembers may be in it.
    "cache": {"paste.filter_factory": "openstack_swift:cache_filter"},
    "listing_formats": {},
    "bulk": {},
    "s3api": {
        "s3_acl": "true",
        "location": "us-east-1",
        "storage_domain": "localhost",
        "dns_compliant_bucket_names": "true",
        "max_upload_part_num": "10000",
    },
    "tempauth": {},
    "copy": {},
    "slo": {"max_manifest_segments": "10000"},
    "dlo": {},
    "versioned_writes": {"allow_versioned_writes": "true", "allow_object_versioning": "true"},
    "symlink": {},
}


def main():
    folder, port, access_key, secret_key, *tls = sys.argv[1:]
    # Writes survive the end of a process without it, and not more is promised.
    os.fsync = os.fdatasync = lambda descriptor: None

    listeners = {name: bind(0) for name in BACKENDS}
    listeners["proxy"] = bind(int(port))
    for name in BACKENDS:
        listeners[name].listen(4096)
    ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
    configure(folder, ports, access_key, secret_key)
    preload()

    alive, alive_end = os.pipe()
    ready, ready_end = os.pipe()
    start, start_end = os.pipe()
    children = set()
    for name, listener in listeners.items():
        child = os.fork()
        if child == 0:
            # Only the parent may hold these open: their end is the news.
            os.close(alive_end)
            os.close(ready)
            os.close(start_end)
            end_with(alive)
            serve(name, folder, listener, tls if name == "proxy" else [], ready_end, start)
        children.add(child)
    os.close(ready_end)
    signal.signal(signal.SIGTERM, lambda *_: end(children))

    count = 0
    while count < len(children):
        reported = len(os.read(ready, 16))
        if reported == 0:
            sys.exit("A server of Swift did not start.")
        count += reported
    listeners["proxy"].listen(4096)
    os.write(start_end, b"s" * len(children))
    child, status = os.wait()
    sys.exit(f"A server of Swift ended with status {os.waitstatus_to_exitcode(status)}.")


def bind(port):
    listener = socket.socket()
    # Connections of the server that was killed a moment ago may linger on this port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def end(children):
    """Ends the servers and then this process; nobody else would wait for them where the first process does not."""
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    os._exit(0)


def end_with(alive):
    """Ends this process when the parent has ended, and with it the only write end of the pipe."""
    threading.Thread(target=lambda: (os.read(alive, 1), os._exit(0)), daemon=True).start()


def preload():
    # What is imported before the fork is there four times for the price of one.
    import swift.account.server
    import swift.common.middleware.s3api.s3api
    import swift.common.middleware.tempauth
    import swift.container.server
    import swift.obj.server
    import swift.proxy.server


def serve(name, folder, listener, tls, ready, start):
    path = f"{folder}/etc/{name}-server.conf"
    conf, logger, global_conf, _ = wsgi.check_config(path, f"{name}-server")

    def wait_for_all():
        os.write(ready, b"r")
        os.close(ready)
        os.read(start, 1)

    from eventlet.green import socket, ssl

    listener = socket.socket(fileno=listener.detach())
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        listener = context.wrap_socket(listener, server_side=True)
    wsgi.run_server(conf, logger, listener, global_conf=global_conf, ready_callback=wait_for_all)
    os._exit(0)


def configure(folder, ports, access_key, secret_key):
    etc = f"{folder}/etc"
    for made in (etc, f"{folder}/devices/d1", f"{folder}/recon"):
        os.makedirs(made, exist_ok=True)
    check_attributes(f"{folder}/devices/d1")
    common = {
        "bind_ip": "127.0.0.1",
        "swift_dir": etc,
        "workers": "0",
        "log_level": "WARNING",
        "log_custom_handlers": "openstack_swift.log_to_stderr",
    }
    write(
        f"{etc}/swift.conf",
        {
            "swift-hash": {"swift_hash_path_prefix": "test", "swift_hash_path_suffix": "test"},
            "storage-policy:0": {"name": "Policy-0", "default": "yes"},
            # A signature and a session token do not fit into the usual 8192.
            "swift-constraints": {"max_header_size": "16384"},
        },
    )
    filters = {f"filter:{name}": {"use": f"egg:swift#{name}", **settings} for name, settings in FILTERS.items()}
    del filters["filter:cache"]["use"]
    account, user = access_key.split(":")
    filters["filter:tempauth"][f"user_{account}_{user}"] = f"{secret_key} .admin"
    write(
        f"{etc}/proxy-server.conf",
        {
            "DEFAULT": {**common, "bind_port": ports["proxy"], "client_timeout": "60"},
            "pipeline:main": {"pipeline": " ".join([*FILTERS, "proxy-server"])},
            "app:proxy-server": {
                "use": "egg:swift#proxy",
                "account_autocreate": "true",
                # Slow is not broken on a machine that does much else.
                "conn_timeout": "30",
                "node_timeout": "60",
            },
            **filters,
        },
    )
    for name in BACKENDS:
        write(
            f"{etc}/{name}-server.conf",
            {
                "DEFAULT": {
                    **common,
                    "bind_port": ports[name],
                    "devices": f"{folder}/devices",
                    "mount_check": "false",
                    "recon_cache_path": f"{folder}/recon",
                    "disable_fallocate": "true",
                    "fallocate_reserve": "0",
                    # What comes later than that is not listed before a daemon finds it, and there is none.
                    "conn_timeout": "30",
                    "node_timeout": "60",
                    "container_update_timeout": "60",
                },
                "pipeline:main": {"pipeline": f"{name}-server"},
                f"app:{name}-server": {"use": f"egg:swift#{name}"},
            },
        )
        ring = RingBuilder(1, 1, 0)
        place = {"ip": "127.0.0.1", "port": ports[name], "device": "d1"}
        replication = {"replication_ip": place["ip"], "replication_port": place["port"]}
        ring.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "meta": "", **place, **replication})
        ring.rebalance()
        ring.get_ring().save(f"{etc}/{name}.ring.gz")


def check_attributes(folder):
    """Swift keeps an object's metadata in extended attributes, which not every file system has."""
    if not hasattr(os, "setxattr"):
        return
    try:
        os.setxattr(folder, "user.test", b"1")
    except OSError as error:
        sys.exit(
            f"The file system of {folder} has no extended attributes ({error.strerror}), which Swift needs. "
            "Choose a parentDirectory on another one."
        )


def write(path, sections):
    with open(path, "w") as file:
        for section, settings in sections.items():
            print(f"[{section}]", *(f"{name} = {value}" for name, value in settings.items()), sep="\n", file=file)


def log_to_stderr(conf, name, log_to_console, log_route, fmt, logger, adapted_logger):
    """Called by Swift for each logger; the default, the system's log, is nobody's business."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {name}: %(message)s"))
    logger.addHandler(handler)


class Cache:
    """What Swift expects of a client of memcached, kept in this process."""

    def __init__(self):
        self.entries = {}

    def get(self, key, raise_on_error=False):
        value, deadline = self.entries.get(key, (None, None))
        if deadline is not None and deadline < monotonic():
            self.entries.pop(key, None)
            return None
        return value

    def set(self, key, value, serialize=True, time=0, min_compress_len=0, raise_on_error=False):
        if len(self.entries) > 10_000:
            self.entries.clear()
        self.entries[key] = (value, monotonic() + time if time else None)

    def incr(self, key, delta=1, time=0):
        value = max(0, int(self.get(key) or 0) + int(delta))
        self.set(key, value, time=time)
        return value

    def decr(self, key, delta=1, time=0):
        return self.incr(key, -int(delta), time)

    def delete(self, key, server_key=None):
        self.entries.pop(key, None)

    def set_multi(self, mapping, server_key, serialize=True, time=0, min_compress_len=0):
        for key, value in mapping.items():
            self.set(key, value, time=time)

    def get_multi(self, keys, server_key):
        return [self.get(key) for key in keys]


def cache_filter(global_conf, **local_conf):
    cache = Cache()

    def filter(app):
        def cached(environ, start_response):
            environ["swift.cache"] = cache
            return app(environ, start_response)

        return cached

    return filter


if __name__ == "__main__":
    main()
