"""What goes out: files and zips, streamed from stored text, as tasks and formats want them."""
