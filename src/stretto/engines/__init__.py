"""Where effects are performed. Every engine passes the contract in `stretto.testing.engine_contract`."""
