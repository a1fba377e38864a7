"""How each kind of record is made."""
