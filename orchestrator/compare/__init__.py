"""Scheduled, choreographed or orchestrated: what measured runs of one pipeline say about the three styles."""
