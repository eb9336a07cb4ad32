"""YOLO's formats as Ultralytics' tools read and write them."""
