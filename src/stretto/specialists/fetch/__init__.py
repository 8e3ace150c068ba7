"""One page of the web as text, from allowed hosts only; rules and limits are in docs/fetch.md."""

from stretto.specialists.fetch.allowing import AllowList, BadRule
from stretto.specialists.fetch.fetching import Bounds, Fetcher
from stretto.specialists.fetch.model import CannotFetch, Page

__all__ = ["AllowList", "BadRule", "Bounds", "CannotFetch", "Fetcher", "Page"]
