"""Images: lists and changes, and how uploaded files become images or find theirs."""
