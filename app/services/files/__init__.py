"""Files that come, rest and go: names, zips, temporary files, and storage with its rows."""
