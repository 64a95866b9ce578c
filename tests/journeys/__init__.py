"""Whole journeys through the service, from data on disk to what a person or a program reads."""
