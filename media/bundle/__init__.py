"""What an evidence bundle carries besides the case: the program that verifies it, and the document that prints it."""
