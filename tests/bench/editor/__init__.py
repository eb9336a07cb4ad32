"""``make bench-editor``: how fast the editor is, in a real Chromium on a real server.

`scenes` fills a server with crowded images, `stage` opens one of them and makes the gestures of a
hand, `frames` reads from Chromium's own trace what each frame cost the main thread, and `measure`
puts both together. Nothing of the editor is replaced.
"""
