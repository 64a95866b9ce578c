"""The documents on which HL7's reference validator and this project's own agree, and where they do not."""
