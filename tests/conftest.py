"""Tests may be coroutines; each has a bounded time. Property tests repeat their cases, but for `LAWS=search`.

No case of a property is timed: a busy machine would fail it.
"""

import asyncio
import inspect

import pytest
from hypothesis import HealthCheck, settings

from tests.cases import SEARCHING

SECONDS = 60

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", settings.get_profile("untimed"), derandomize=True)
settings.register_profile("search", settings.get_profile("untimed"), print_blob=True)
settings.load_profile("search" if SEARCHING else "steady")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test to its end."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def bounded() -> None:
        async with asyncio.timeout(SECONDS):
            await pyfuncitem.obj(**given)

    asyncio.run(bounded())
    return True
