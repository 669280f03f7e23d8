"""Bringing log files in: lines become records, records become batches, and how far we are."""
