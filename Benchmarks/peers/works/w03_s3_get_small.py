"""W3: get n small objects at concurrency 32; each is the same object, read whole."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import lib

PREFIX = lib.s3_prefix("w03g")
KEY = f"{PREFIX}/object.bin"


def check(data, c):
    assert len(data) == c.size, f"{len(data)} bytes, not {c.size}"


def seed(c):
    s = lib.seed_s3()

    async def run():
        async def one(i):
            check((await s.open(KEY)).read(), c)

        await one(0)
        await lib.afan(c, one)

    lib.arun(run())
    return {"bytes": c.n * c.size, "note": "new client (and connection) per call"}


def django(c):
    lib.django_setup()
    s = lib.django_s3()

    def one(i):
        with s.open(KEY, "rb") as f:
            check(f.read(), c)

    lib.fan(c, one, init=lambda: one(0))
    return {"bytes": c.n * c.size}


def boto3(c):
    s3 = lib.boto_client(max_pool_connections=c.concurrency)

    def one(i):
        check(s3.get_object(Bucket=lib.E["PEERS_S3_BUCKET"], Key=KEY)["Body"].read(), c)

    lib.fan(c, one, init=lambda: one(0))
    return {"bytes": c.n * c.size}


def aioboto3(c):
    async def run():
        import aioboto3

        async with aioboto3.Session().client(
            "s3", endpoint_url=lib.E["PEERS_S3_ENDPOINT"], aws_access_key_id=lib.E["PEERS_S3_KEY"],
            aws_secret_access_key=lib.E["PEERS_S3_SECRET"], region_name=lib.E["PEERS_S3_REGION"],
            config=lib.boto_config(max_pool_connections=c.concurrency),
        ) as s3:
            async def one(i):
                r = await s3.get_object(Bucket=lib.E["PEERS_S3_BUCKET"], Key=KEY)
                async with r["Body"] as body:
                    check(await body.read(), c)

            await one(0)
            await lib.afan(c, one)

    lib.arun(run())
    return {"bytes": c.n * c.size, "note": "one shared client: what the seed could do"}


def curl(c):
    d = c.scratch()
    url = lib.boto_client().generate_presigned_url("get_object", Params={
        "Bucket": lib.E["PEERS_S3_BUCKET"], "Key": KEY})
    with open(d / "cfg", "w") as f:
        for _ in range(c.n):
            f.write(f'url = "{url}"\noutput = "/dev/null"\n')
    c.command(["curl", "-sSfk", "--no-progress-meter", "--parallel", "--parallel-max", str(c.concurrency),
               "-K", str(d / "cfg")])
    return {"bytes": c.n * c.size, "note": "URL presigned beforehand"}


def wrap(f):
    def g(c):
        try:
            lib.boto_client().put_object(Bucket=lib.E["PEERS_S3_BUCKET"], Key=KEY, Body=lib.blob(c.size))
            return f(c)
        finally:
            lib.s3_wipe(PREFIX)

    return g


if __name__ == "__main__":
    lib.main("w03_s3_get_small", {
        "seed": wrap(seed), "fastapi-storages": "its S3Storage has no open()", "django": wrap(django),
        "boto3": wrap(boto3), "aioboto3-shared": wrap(aioboto3), "limit-curl": wrap(curl),
    }, n=500, concurrency=32, size=4096)
