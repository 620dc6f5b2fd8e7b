"""Intake: from whatever table or file a user has to text rows under the five known columns."""
