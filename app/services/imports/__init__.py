"""What comes in: annotation files, zips and mask images, matched with a dataset's rows."""
