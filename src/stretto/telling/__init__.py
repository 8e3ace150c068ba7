"""What there is to say about a run, in few words: the same for terminals and pages. Pure."""
