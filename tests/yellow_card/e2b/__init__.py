"""E2B(R3): the table, the writer, the reader, the rules, acknowledgements."""
