"""What is made from image files, within limits and kept for a while: thumbnails, tiles..."""
