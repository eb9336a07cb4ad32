"""What the server does: rows in and out, errors raised, nothing committed."""
