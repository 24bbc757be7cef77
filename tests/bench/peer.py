"""garage, an S3 server that nobody here wrote, as one node on loopback. `make peers` installs it."""

import contextlib
import re
import secrets
import shutil
import socket
import subprocess
import time

from measure import ROOT, Background

PROGRAM = ROOT / ".tools" / "bin" / "garage"
REGION = "garage"
BUCKET = "originals"


class Node:
    """A running garage and how to reach it."""

    def __init__(self, process, keys):
        self.process = process
        # Endpoint, bucket, key id, secret, region.
        self.keys = keys


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def garage(folder):
    """Runs garage in an empty folder; `None` where it is not installed."""
    program = PROGRAM if PROGRAM.exists() else shutil.which("garage")
    if not program:
        yield None
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rpc, s3, admin = free_port(), free_port(), free_port()
    config = folder / "garage.toml"
    config.write_text(
        f'metadata_dir = "{folder}/meta"\ndata_dir = "{folder}/data"\ndb_engine = "lmdb"\n'
        f'replication_factor = 1\ncompression_level = "none"\n'
        f'rpc_bind_addr = "127.0.0.1:{rpc}"\nrpc_public_addr = "127.0.0.1:{rpc}"\n'
        f'rpc_secret = "{secrets.token_hex(32)}"\n'
        f'[s3_api]\ns3_region = "{REGION}"\napi_bind_addr = "127.0.0.1:{s3}"\n'
        f'[admin]\napi_bind_addr = "127.0.0.1:{admin}"\n')
    config.chmod(0o600)

    def ask(*words):
        return subprocess.check_output([str(program), "-c", str(config), *words], stderr=subprocess.DEVNULL).decode()

    server = Background([str(program), "-c", str(config), "server"], {"RUST_LOG": "error"}, wait=False)
    with server:
        node = None
        for _ in range(100):
            with contextlib.suppress(subprocess.CalledProcessError):
                node = ask("node", "id", "-q").split("@")[0].strip()
                ask("status")
                break
            time.sleep(0.1)
        ask("layout", "assign", "-z", "here", "-c", "100G", node)
        ask("layout", "apply", "--version", "1")
        made = ask("key", "create", "bench")
        key = re.search(r"Key ID:\s*(\S+)", made).group(1)
        secret = re.search(r"Secret key:\s*(\S+)", made).group(1)
        ask("bucket", "create", BUCKET)
        ask("bucket", "allow", "--read", "--write", "--owner", BUCKET, "--key", key)
        yield Node(server, (f"http://127.0.0.1:{s3}", BUCKET, key, secret, REGION))
