"""Whether squads still understand each other: the schemas of their messages, committed, and what a change to them breaks."""
