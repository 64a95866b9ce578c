"""HL7's reference validator over what this project publishes and answers."""
