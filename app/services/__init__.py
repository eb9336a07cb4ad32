"""What the server does: rows in and out, errors raised, nothing committed.

A folder is a subject, and the module that has its name is where to begin. What stands beside the
folders serves several of them: permissions and accounts, jobs and their queue, and small ways to
ask the database. Imports between folders run one way (`tool.importlinter` in pyproject.toml).
"""
