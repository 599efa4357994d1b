"""Forwards TLS connections to a server that speaks plain TCP, and closes the idle ones in order.

usage: tls_idle_closer.py CERTIFICATE KEY HOST PORT SECONDS

Listens on a port of 127.0.0.1 that the system chooses and prints it on a line of its own. A connection over which
nothing has gone for so many seconds is closed with the close_notify of TLS before the FIN of TCP; SIGUSR1 closes all of them
now, but for those with something in flight. After that a line "closed N" says how many were closed so far.
"""

import select
import signal
import socket
import ssl
import sys
import threading
import time

count = 0
closings = 0
lock = threading.Lock()


def main():
    certificate, key, host, port, seconds = sys.argv[1:]
    signal.signal(signal.SIGUSR1, close_now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    while True:
        plain, _ = listener.accept()
        arguments = (context, plain, (host, int(port)), float(seconds))
        threading.Thread(target=serve, args=arguments, daemon=True).start()


def close_now(*_):
    global closings
    closings += 1


def serve(context, plain, address, seconds):
    try:
        client = context.wrap_socket(plain, server_side=True)
    except (OSError, ssl.SSLError):
        plain.close()
        return
    with client, socket.create_connection(address) as server:
        try:
            if relay(client, server, seconds):
                close_in_order(client)
        except OSError:
            # The client or the server went away, which ends the connection as it should.
            return


def relay(client, server, seconds):
    """Passes bytes on in both directions; True when nothing has gone for so long, False when one side has ended."""
    last = time.monotonic()
    seen = closings
    while True:
        readable = [client] if client.pending() else select.select([client, server], [], [], 0.05)[0]
        if not readable and (closings != seen or time.monotonic() - last >= seconds):
            return True
        for source in readable:
            data = source.recv(65536)
            if not data:
                return False
            (server if source is client else client).sendall(data)
            last = time.monotonic()


def close_in_order(client):
    global count
    client.setblocking(False)
    try:
        # Sends close_notify; does not wait for the other side's, which need not come.
        client.unwrap()
    except (OSError, ssl.SSLError):
        pass
    with lock:
        count += 1
        print(f"closed {count}", flush=True)


if __name__ == "__main__":
    main()
