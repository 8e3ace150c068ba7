"""Language models behind one door: what is asked of one, what it answers, which one serves which role."""
