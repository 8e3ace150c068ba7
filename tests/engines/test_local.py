"""The local engine keeps the contract."""

from stretto.engines.local import LocalEngine
from stretto.ports import Engine
from stretto.testing.engine_contract import EngineContract


class TestLocalEngine(EngineContract):
    def make(self) -> Engine:
        return LocalEngine()
