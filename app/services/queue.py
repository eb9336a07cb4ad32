"""The queue that wakes the workers.

Work is described by a row in ``jobs`` (app/services/jobs.py); the queue only says "look at job 17".
`defer` writes that on the session's own connection, so it is queued when the transaction commits
and never when it does not. A message for a job that is no longer queued does nothing, so sending
one too many does no harm.
"""

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy.orm import Session

__all__ = ["QUEUE", "TASK", "defer"]

QUEUE = "maskwright"
TASK = "run_job"
# Never opened: every message is written on a connection that we hand over.
_app = App(connector=SyncPsycopgConnector())


def defer(session: Session, *, job_id: int, file: str | None = None) -> None:
    """Have a worker look at this job once the transaction is committed.

    `file` is the storage key of what was uploaded for it: a job may be deleted with its dataset,
    and then the message alone still knows what is to be removed.
    """
    session.flush()
    connection = session.connection().connection.driver_connection
    _app.configure_task(TASK, queue=QUEUE, connection=connection).defer(job_id=job_id, file=file)
