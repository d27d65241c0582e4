"""The SQL of the hot tables: one text per record, used by Django's processes and by the edge alike.

Placeholders are `%s`; `for_sqlite` gives the same statement with the placeholders of the sqlite3 driver.
"""

INSERT_INBOX = (
    "INSERT INTO journal_inbox (campaign_id, kind, key, seen_at_us, body) VALUES (%s, %s, %s, %s, %s)"
)
READ_INBOX = "SELECT id, campaign_id, kind, key, seen_at_us, body FROM journal_inbox ORDER BY id LIMIT %s"
READ_INBOX_LOCKING = READ_INBOX + " FOR UPDATE SKIP LOCKED"
# Held until the transaction ends. The number is ours alone: "vTeam mov" read as 64 bits.
TRY_MOVERS_LOCK = "SELECT pg_try_advisory_xact_lock(8526551463636266351)"
READ_INBOX_AFTER = (
    "SELECT id, campaign_id, kind, key, seen_at_us, body FROM journal_inbox "
    "WHERE id > %s ORDER BY id LIMIT %s"
)
DELETE_INBOX_ROW = "DELETE FROM journal_inbox WHERE id = %s"
DELETE_INBOX_UP_TO = "DELETE FROM journal_inbox WHERE id <= %s"
CREATE_EDGE_INBOX = (
    "CREATE TABLE IF NOT EXISTS journal_inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, campaign_id INTEGER NOT NULL, "
    "kind TEXT NOT NULL, key TEXT NOT NULL, seen_at_us INTEGER NOT NULL, body TEXT NOT NULL)"
)
INSERT_FACT = (
    "INSERT INTO journal_fact (campaign_id, seq, kind, key, seen_at_us, body, sha256) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s)"
)


def for_sqlite(statement: str) -> str:
    """The statement with the placeholders of the sqlite3 driver."""
    return statement.replace("%s", "?")
