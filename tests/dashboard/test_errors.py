"""What a page tells of what went wrong: all that its reader can mend, and nothing of the server's insides."""

import logging

import pytest

from stretto.core.errors import Forbidden, StoreError, UsageError
from stretto.dashboard.shell import told_of


def test_what_somebody_can_mend_is_told_in_full() -> None:
    assert told_of(UsageError("the budget is no amount")) == "the budget is no amount"
    assert told_of(Forbidden("ann may not operate here")) == "ann may not operate here"


@pytest.mark.parametrize("error", [StoreError("cannot read /srv/secret/runs.db"), RuntimeError("/srv/secret")])
def test_what_is_about_the_insides_stands_in_the_log_alone(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "stretto.server"):
        told = told_of(error)
    assert "secret" not in told
    assert told.partition("error ")[2].partition(" ")[0] in caplog.text
    assert "secret" in caplog.text
