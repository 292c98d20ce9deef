"""Everything that is stored: tables, statements, transactions. No SQL and no driver is named outside this package."""
