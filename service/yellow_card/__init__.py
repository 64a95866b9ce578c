"""Safety reports shown as what leaves the house: device reports, E2B(R3) messages, acknowledgements. Pure."""
