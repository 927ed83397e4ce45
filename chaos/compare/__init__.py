"""The three styles on one pipeline, one fleet and the same faults: everything that `brigade compare` records.

A `Subject` (subject.py) is what is compared; a `Site` (site.py) is its stack, its fleet, and a line before each component's
database. faults.py draws what happens to which repetition, campaign.py makes the runs, drive.py makes one, record.py reads
from rows and logs what it was. What the recorded runs say is none of its business: orchestrator/compare.
"""
