"""Ways to people who do not look at the screen, one module each; `dispatch` sends a notice through all of them."""

from stretto.notifiers.dispatching import Filtered, dispatch
from stretto.notifiers.factory import notifiers_of

__all__ = ["Filtered", "dispatch", "notifiers_of"]
