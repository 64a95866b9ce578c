"""Coverage-guided fuzzing, and the inputs that once broke something, kept as plain tests."""
