"""Whether property tests look for new cases (`make laws`) or repeat few, the same each time (`make test`)."""

import os

SEARCHING = os.environ.get("LAWS") == "search"
