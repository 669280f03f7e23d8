"""The ingestion API: HTTP in, the broker out, an honest answer in between."""
