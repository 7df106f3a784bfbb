"""Reports as one HTML file each: pages are built from parts, and say nothing that a folder does not hold."""
