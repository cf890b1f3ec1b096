"""The database: tables, queries, transactions, migrations. Nothing outside builds a statement."""
