"""What the dashboard keeps for its users, in one SQLite file: saved views and signals, short
links, and the facets that everybody has pinned.

* `values`: what is kept, its limits, and the checks that need no file; pure.
* `file`: the file itself: opened for each call, shared by any number of processes, set aside when
  it is damaged.
* `views`, `shares`, `pins`: functions of an open file, a transaction each.
"""
