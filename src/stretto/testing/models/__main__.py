"""`python -m stretto.testing.models SCRIPT.yaml`: serve a script until it is interrupted."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from stretto.core.errors import UsageError
from stretto.testing.models.requests import Request
from stretto.testing.models.server import KEY, ModelServer


def main() -> int:
    """Print the address and the key, then a line for every request once it has ended."""
    parser = argparse.ArgumentParser(
        prog="python -m stretto.testing.models", description="Serve a script until it is interrupted."
    )
    parser.add_argument("script", type=Path, help="the script, in YAML or JSON")
    parser.add_argument("--port", type=int, default=0, help="the port on the loopback; 0 takes a free one")
    parser.add_argument("--key", default=KEY, help=f"the key that requests carry (default: {KEY}); empty: none")
    parser.add_argument("--quiet", action="store_true", help="no line for each request")
    options = parser.parse_args()
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, lambda *_: over.set())
    try:
        server = ModelServer(options.script, key=options.key, port=options.port, tell=None if options.quiet else _tell)
        with server:
            print(f"{server.url}\nkey: {server.key or '(none)'}", flush=True)
            over.wait()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _tell(request: Request) -> None:
    print(request, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
