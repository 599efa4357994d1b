#!/usr/bin/env python3
"""Records what other signers make of requests, for the tests of ours. Needs botocore and cryptography:

    python3 -m venv /tmp/botocore && /tmp/botocore/bin/pip install botocore cryptography
    /tmp/botocore/bin/python Fixtures/s3-signing/make-vectors.py [CHECKOUT]

CHECKOUT is a clone of github.com/awslabs/aws-c-auth, whose tests/aws-signing-test-suite/v4 has the cases of suite.json;
without it that file stays as it is. All else is random with a fixed seed: running it again gives the same files, but for
keys in *.pem, which are made when they are missing.

Left out, because our signer differs on purpose or S3 does:
- Accept-Encoding, Content-Length in headers, Authorization, and the proxy-* names that botocore does not know: it signs
  them and we never do (Content-Length is signed in presigned URLs by both);
- Date: botocore drops x-amz-date when there is one;
- query names given twice: botocore's presigner keeps one of them, ours refuses;
- values with blanks other than spaces, such as tabs: botocore squeezes them, ours refuses;
- values that are not ASCII: what goes on the wire depends on the client.
"""

import base64
import datetime
import hashlib
import json
import os
import random
import sys
from urllib.parse import quote, unquote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

HERE = os.path.dirname(os.path.abspath(__file__))
rng = random.Random(20130524)


def write(name, value):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        # One case a line: changes can be read, and the files stay small.
        file.write("[\n" + ",\n".join(json.dumps(item, ensure_ascii=True) for item in value) + "\n]\n")


# --- The suite of AWS


def suite(checkout):
    folder = os.path.join(checkout, "tests", "aws-signing-test-suite", "v4")
    cases = []
    for name in sorted(os.listdir(folder)):
        def text(file):
            with open(os.path.join(folder, name, file), encoding="utf-8", newline="") as handle:
                return handle.read()

        context = json.loads(text("context.json"))
        head, _, body = text("request.txt").replace("\r\n", "\n").partition("\n\n")
        lines = head.rstrip("\n").split("\n")
        method, target = lines[0].split(" ", 1)
        target = target[: target.rindex(" HTTP/1.1")]
        path, _, query = target.partition("?")
        headers = []
        for line in lines[1:]:
            if line[0] in " \t":  # A folded value: a line break and blanks are one blank.
                headers[-1][1] += " " + line.strip()
            else:
                headers.append(line.split(":", 1))
        pairs = []
        for part in filter(None, query.split("&")):
            key, _, value = part.partition("=")
            pairs.append([unquote(key), unquote(value)])
        credentials = context["credentials"]
        assert context["service"] == "service"
        cases.append(
            {
                "name": name,
                "method": method,
                "path": path,
                "query": pairs,
                "headers": headers,
                "body": body,
                "accessKey": credentials["access_key_id"],
                "secretKey": credentials["secret_access_key"],
                "token": credentials.get("token"),
                "addsTokenAfterSigning": context.get("omit_session_token", False),
                "normalizesPath": context["normalize"],
                "addsContentSHA256": context["sign_body"],
                "region": context["region"],
                "date": context["timestamp"],
                "lifetime": context["expiration_in_seconds"],
                "headerSignature": text("header-signature.txt").strip(),
                "querySignature": text("query-signature.txt").strip(),
            }
        )
    assert len(cases) == 38
    write("suite.json", cases)


# --- What is random

REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2", "auto", "us-gov-west-1", "fr-par"]
PIECES = [
    "a", "Photo", "2024", "ü", "日本", "é", "😀", " ", "  ", "+", "%", "%20", "%2F", ".", "..", "~", "_", "-", "&", "=", "?",
    "#", ":", ";", "@", "$", "!", "*", "'", "(", ")", "[", "]", "{", "}", '"', "\\", "<", ">", "|", "^", "`", ",",
]


def key():
    segments = ["".join(rng.choice(PIECES) for _ in range(rng.randint(0, 5))) for _ in range(rng.randint(1, 5))]
    text = "/".join(segments)
    return text if text else "x"


def word(least=1, most=12):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(rng.randint(least, most)))


def credentials():
    token = None
    if rng.random() < 0.4:
        token = base64.b64encode(bytes(rng.randrange(256) for _ in range(rng.randint(10, 300)))).decode()
    return Credentials("AKIA" + word(16, 16).upper(), base64.b64encode(bytes(rng.randrange(256) for _ in range(30))).decode(), token)


CREDENTIALS = [credentials() for _ in range(12)]


def moment():
    return datetime.datetime(1999, 12, 31, 23, 59, 59) + datetime.timedelta(seconds=rng.randint(0, 3_000_000_000))


def at(date):
    botocore.auth.get_current_datetime = lambda: date


def value():
    text = "".join(rng.choice(["a", "B", "7", " ", "   ", ",", ";", "=", '"', "/", "(", "x y", "%"]) for _ in range(rng.randint(1, 12)))
    return text if text.strip() else text + "v"


def host():
    return rng.choice(["bucket.s3.amazonaws.com", "my-bucket.s3.eu-central-1.amazonaws.com", "localhost:9000", "s3.example.org:8443", "10.0.0.7:3900"])


def path_of(name):
    return ("/bucket/" if rng.random() < 0.5 else "/") + quote(name, safe="/-._~")


def query(most=5):
    names = rng.sample(
        ["prefix", "prefix-x", "max-keys", "uploads", "uploadId", "partNumber", "versionId", "list-type", "delimiter", "continuation-token", "Select", "select", "select-type", "start-after", "ü", "a b", "a+b"],
        rng.randint(0, most),
    )
    return [[name, rng.choice(["", key(), word(), "/", "a=b&c", str(rng.randint(1, 10_000))])] for name in names]


def encode(pairs):
    return "&".join(quote(name, safe="-_.~") + "=" + quote(text, safe="-_.~") for name, text in pairs)


def signed_by(chosen):
    return {"accessKey": chosen.access_key, "secretKey": chosen.secret_key, "token": chosen.token}


# --- Requests with an Authorization header


def request():
    chosen, date, region, authority = rng.choice(CREDENTIALS), moment(), rng.choice(REGIONS), host()
    method = rng.choice(["GET", "HEAD", "PUT", "POST", "DELETE"])
    pairs, path = query(), path_of(key())
    headers = []
    names = [
        "Content-Type", "content-md5", "Range", "If-Match", "if-none-match", "Cache-Control", "Content-Disposition", "x-amz-acl",
        "X-Amz-Meta-A", "x-amz-meta-a-b", "x-amz-meta-author", "x-amz-storage-class", "x-amz-copy-source", "X-Amz-Tagging", "Expires",
        "user-agent", "Expect", "X-Amzn-Trace-Id", "Connection",
    ]
    for name in rng.sample(names, rng.randint(0, 8)):
        headers.append([name, value()])
        if rng.random() < 0.15:
            headers.append([rng.choice([name, name.lower()]), value()])
    body = rng.choice(["", "", "Hello", key(), "<Delete>é</Delete>"]) if method in ("PUT", "POST") else ""
    is_unsigned = rng.random() < 0.3
    signed = AWSRequest(method=method, url=f"https://{authority}{path}" + ("?" + encode(pairs) if pairs else ""), data=body.encode())
    for name, text in headers:
        signed.headers.add_header(name, text)
    signed.context["client_config"] = Config(s3={"payload_signing_enabled": not is_unsigned})
    at(date)
    botocore.auth.S3SigV4Auth(chosen, "s3", region).add_auth(signed)
    hashed = signed.headers["X-Amz-Content-SHA256"]
    assert hashed == ("UNSIGNED-PAYLOAD" if is_unsigned else hashlib.sha256(body.encode()).hexdigest())
    return {
        "method": method,
        "path": path,
        "query": pairs,
        "headers": [["Host", authority]] + headers,
        "body": None if is_unsigned else body,
        "region": region,
        "date": date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **signed_by(chosen),
        "authorization": signed.headers["Authorization"],
    }


# --- Presigned URLs


def presigned():
    chosen, date, region, authority = rng.choice(CREDENTIALS), moment(), rng.choice(REGIONS), host()
    method = rng.choice(["GET", "GET", "HEAD", "PUT", "PUT", "DELETE"])
    lifetime = rng.choice([1, 604_800, rng.randint(1, 604_800)])
    path, pairs, overrides, headers = path_of(key()), query(3), {}, []
    if method in ("GET", "HEAD"):
        for name in rng.sample(["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"], rng.randint(0, 3)):
            overrides["response-" + name] = rng.choice([value(), "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%A9", key().replace("\\", "/")])
    else:
        for name in rng.sample(["Content-Type", "Content-Length", "x-amz-acl", "x-amz-server-side-encryption", "X-Amz-Meta-Name"], rng.randint(0, 3)):
            headers.append([name, "42" if name == "Content-Length" else value()])
    scheme = rng.choice(["https", "http"])
    parameters = pairs + [[name, text] for name, text in overrides.items()]
    signed = AWSRequest(method=method, url=f"{scheme}://{authority}{path}" + ("?" + encode(parameters) if parameters else ""))
    for name, text in headers:
        signed.headers.add_header(name, text)
    at(date)
    botocore.auth.S3SigV4QueryAuth(chosen, "s3", region, expires=lifetime).add_auth(signed)
    return {
        "method": method,
        "origin": f"{scheme}://{authority}",
        "path": path,
        "query": pairs,
        "overrides": overrides,
        "headers": headers,
        "lifetime": lifetime,
        "region": region,
        "date": date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **signed_by(chosen),
        "url": signed.url,
    }


# --- Forms


def form():
    chosen, date, region = rng.choice(CREDENTIALS), moment(), rng.choice(REGIONS)
    bucket, lifetime = "bucket-" + word().lower(), rng.randint(1, 604_800)
    name, is_prefix = key() + rng.choice(["", "\n", "\t\x7f", "\x08\x0c\r"]), rng.random() < 0.5
    case = {"bucket": bucket, "key": name, "isPrefix": is_prefix, "lifetime": lifetime}
    fields = {"key": name + "${filename}" if is_prefix else name}
    conditions = [{"bucket": bucket}, ["starts-with", "$key", name] if is_prefix else {"key": name}]

    def exactly(field, text):
        fields[field] = text
        conditions.append({field: text})

    if rng.random() < 0.7:
        case["contentLength"] = sorted([rng.randint(0, 5_000_000_000), rng.randint(0, 5_000_000_000)])
        conditions.append(["content-length-range", *case["contentLength"]])
    if rng.random() < 0.5:
        case["acl"] = rng.choice(["private", "public-read"])
        exactly("acl", case["acl"])
    choice = rng.random()
    if choice < 0.4:
        case["contentType"] = rng.choice(["image/png", 'text/plain; charset="utf-8"'])
        exactly("Content-Type", case["contentType"])
    elif choice < 0.7:
        case["contentTypePrefix"] = rng.choice(["image/", ""])
        conditions.append(["starts-with", "$Content-Type", case["contentTypePrefix"]])
    case["metadata"] = {"x-amz-meta-" + word().lower(): value().strip() for _ in range(rng.randint(0, 3))}
    for field in sorted(case["metadata"]):
        exactly(field, case["metadata"][field])
    if rng.random() < 0.5:
        case["successStatus"] = rng.choice([200, 201, 204])
        exactly("success_action_status", str(case["successStatus"]))
    case["fields"] = [["Cache-Control", "max-age=3600"]] if rng.random() < 0.3 else []
    for field, text in case["fields"]:
        exactly(field, text)

    signed = AWSRequest(method="POST", url=f"https://{bucket}.s3.amazonaws.com/")
    expiration = (date + datetime.timedelta(seconds=lifetime)).strftime(botocore.auth.ISO8601)
    signed.context["s3-presign-post-fields"] = fields
    signed.context["s3-presign-post-policy"] = {"expiration": expiration, "conditions": conditions}
    at(date)
    botocore.auth.S3SigV4PostAuth(chosen, "s3", region).add_auth(signed)
    made = signed.context["s3-presign-post-fields"]
    return {
        **case,
        "region": region,
        "date": date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **signed_by(chosen),
        "form": [[field, text] for field, text in made.items()],
    }


# --- CloudFront


def pem(name, make, encryption):
    """A key of nobody, made once."""
    file = os.path.join(HERE, name)
    if not os.path.exists(file):
        with open(file, "wb") as handle:
            handle.write(
                make().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, encryption)
            )
    with open(file, "rb") as handle:
        return handle.read()


def cloudfront():
    """RSA with this padding is not random: the same message has the same signature."""
    private = serialization.load_pem_private_key(
        pem("cloudfront-test-key.pem", lambda: rsa.generate_private_key(65537, 2048), serialization.NoEncryption()), None
    )
    # Two that must be refused.
    pem("elliptic-test-key.pem", lambda: ec.generate_private_key(ec.SECP256R1()), serialization.NoEncryption())
    pem("encrypted-test-key.pem", lambda: rsa.generate_private_key(65537, 2048), serialization.BestAvailableEncryption(b"x"))
    signer = CloudFrontSigner("K2JCJMDEHXQW5F", lambda message: private.sign(message, padding.PKCS1v15(), hashes.SHA1()))

    def utc(seconds):
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)

    cases = []
    for index in range(12):
        url = "https://d111111abcdef8.cloudfront.net/" + quote(key(), safe="/-._~") + rng.choice(["", "?size=large", "?a=1&b=%20"])
        until = rng.randint(1_000_000_000, 4_000_000_000)
        case = {"url": url, "until": until}
        if index % 2 == 0:
            case["signed"] = signer.generate_presigned_url(url, date_less_than=utc(until))
        else:
            since = until - rng.randint(1, 100_000) if rng.random() < 0.7 else None
            address = rng.choice(["192.0.2.7", "192.0.2.0/24", None]) if since else "198.51.100.0/28"
            resource = rng.choice([url, "https://d111111abcdef8.cloudfront.net/*"])
            policy = signer.build_policy(resource, utc(until), utc(since) if since else None, address)
            case.update({"from": since, "ipAddress": address, "resource": resource})
            case["signed"] = signer.generate_presigned_url(url, policy=policy)
        cases.append(case)
    write("cloudfront.json", cases)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        suite(sys.argv[1])
    write("requests.json", [request() for _ in range(240)])
    write("presigned.json", [presigned() for _ in range(120)])
    write("forms.json", [form() for _ in range(30)])
    cloudfront()
