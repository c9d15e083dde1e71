"""An S3 server of its own for tests, in a child process on a free port."""

import contextlib
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from threading import Thread

REGION = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "us-east-1"}


@contextlib.contextmanager
def bucket_server(*buckets: str) -> Iterator[dict[str, str]]:
    """Environment variables by which clients of AWS find the server."""
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stderr is not None
            found = next(filter(None, (re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stderr)))
            Thread(target=deque, args=(server.stderr, 0), daemon=True).start()  # a full pipe would stop the server
            variables = {**REGION, "AWS_ENDPOINT_URL": found[0]}
            for bucket in buckets:
                make_bucket(bucket, variables)
            yield variables
        finally:
            server.kill()


def make_bucket(name: str, variables: dict[str, str]) -> None:
    from botocore.session import get_session

    client = get_session().create_client(
        "s3",
        region_name=variables["AWS_DEFAULT_REGION"],
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=name)
