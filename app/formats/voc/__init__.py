"""The format of the PASCAL Visual Object Classes challenges."""
