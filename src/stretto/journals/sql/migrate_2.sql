-- How much waits for a person in a run is written down with its next event.
ALTER TABLE runs ADD COLUMN asks INTEGER
