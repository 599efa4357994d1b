"""Makes buckets on an S3 server; with none named, asks whether it takes signed requests.

usage: make_buckets.py URL REGION ACCESS_KEY SECRET_KEY CA_FILE|- SECONDS [BUCKET...]

For so many seconds it tries again what fails because the server is not ready. A bucket that is already there is an
error: it is somebody else's.
"""

import datetime
import hashlib
import hmac
import http.client
import ssl
import sys
import time
import urllib.parse


def main():
    url, region, access_key, secret_key, ca_file, seconds, *buckets = sys.argv[1:]
    server = Server(url, region, access_key, secret_key, None if ca_file == "-" else ca_file)
    deadline = time.monotonic() + float(seconds)
    requests = [("PUT", f"/{urllib.parse.quote(bucket, safe='')}") for bucket in buckets] or [("GET", "/")]
    for method, path in requests:
        while True:
            status, body = server.request(method, path)
            if status == 200:
                break
            if status < 500 or time.monotonic() > deadline:
                sys.exit(f"{method} {path}: {status} {body[:1000]}")
            time.sleep(0.1)


class Server:
    def __init__(self, url, region, access_key, secret_key, ca_file):
        parts = urllib.parse.urlsplit(url)
        self.host = parts.netloc
        self.region, self.access_key, self.secret_key = region, access_key, secret_key
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca_file)
            self.connect = lambda: http.client.HTTPSConnection(self.host, timeout=30, context=context)
        else:
            self.connect = lambda: http.client.HTTPConnection(self.host, timeout=30)

    def request(self, method, path):
        """The status and the text of the response; status 599 when there was none."""
        connection = self.connect()
        try:
            connection.request(method, path, headers=self.sign(method, path))
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 599, repr(error)
        finally:
            connection.close()

    def sign(self, method, path):
        """The fields of a request without a query and without a body, as AWS signature version 4 wants them."""
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        fields = {"host": self.host, "x-amz-content-sha256": sha256(b""), "x-amz-date": moment}
        names = ";".join(fields)
        lines = [f"{name}:{value}" for name, value in fields.items()]
        canonical = "\n".join([method, path, "", *lines, "", names, fields["x-amz-content-sha256"]])
        text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, sha256(canonical.encode())])
        key = ("AWS4" + self.secret_key).encode()
        for part in [*scope.split("/"), text]:
            key = hmac.digest(key, part.encode(), "sha256")
        credential = f"Credential={self.access_key}/{scope}"
        fields["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={key.hex()}"
        return fields


def sha256(data):
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    main()
