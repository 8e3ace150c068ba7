"""The SQL of the access book, one statement per file."""

from stretto.statements import statements_of

statement = statements_of("stretto.access")
"""Give the text of `sql/NAME.sql`."""
