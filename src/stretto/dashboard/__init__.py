"""Pages for people: what a run is, how it goes, and what it asks, in a browser.

A page is built for one visitor and lives as long as its tab is open. It deals with runs through `actions` alone, and
what it shows is text unless the page itself wrote the markup.
"""
