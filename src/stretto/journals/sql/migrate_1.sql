ALTER TABLE runs ADD COLUMN wake REAL;
CREATE INDEX runs_by_wake ON runs (wake, run) WHERE wake IS NOT NULL;
-- When they have something to do nobody has written down: whoever takes one over next will.
UPDATE runs SET wake = started WHERE ended IS NULL;
