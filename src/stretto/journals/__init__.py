"""Where events are kept. Every journal passes the contract in `stretto.testing.journal_contract`."""
