"""The SQL of the journal, one statement per file."""

from stretto.statements import statements_of

statement = statements_of("stretto.journals")
"""Give the text of `sql/NAME.sql`."""
