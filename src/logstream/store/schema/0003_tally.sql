-- Counts beside the rows: charts of levels and services read these instead of every row. The slot is
-- that of store/clickhouse/tally.py.
ALTER TABLE otel_logs ADD PROJECTION IF NOT EXISTS tally
(
    SELECT
        intDiv(toUnixTimestamp64Nano(Timestamp), 10000000000),
        SeverityNumber,
        SeverityText,
        ServiceName,
        count()
    GROUP BY
        intDiv(toUnixTimestamp64Nano(Timestamp), 10000000000),
        SeverityNumber,
        SeverityText,
        ServiceName
)
