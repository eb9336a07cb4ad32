"""The worker process: takes jobs from the queue and runs them, until it is told to stop.

Each job runs in a thread of its own beside the event loop of procrastinate. SIGTERM or SIGINT lets
a running job stop at its next step (it goes back into the queue); what does not stop in time ends
with the process, and PostgreSQL undoes its transaction.
"""

import asyncio
import logging
import os
import signal
import threading
from contextlib import suppress

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from sqlalchemy.exc import DBAPIError

from app.context import AppContext
from app.jobs.runner import recover, run_job
from app.services.queue import QUEUE, TASK

__all__ = ["run_worker"]

_log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
RECOVER_EVERY_SECONDS = 2.0
STOP_WITHIN_SECONDS = 3.0


def run_worker(context: AppContext) -> None:
    """Work until SIGTERM or SIGINT."""
    asyncio.run(_serve(context, threading.Event()))


def _queue_app(context: AppContext, stopping: threading.Event) -> App:
    address = context.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    # The loop needs one connection to listen, and one at a time for everything else.
    app = App(connector=PsycopgConnector(conninfo=address, min_size=1, max_size=4))

    @app.task(name=TASK, queue=QUEUE)
    def run(job_id: int, file: str | None = None) -> None:
        run_job(context, job_id, stopping.is_set, file)

    return app


async def _serve(context: AppContext, stopping: threading.Event) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal() -> None:
        if not stopping.is_set():
            stopping.set()
            stop.set()
            _end_soon()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    recovering = asyncio.create_task(_recover(context))
    try:
        while not stopping.is_set():
            await _work_until(stop, context, stopping)
    finally:
        recovering.cancel()


def _end_soon() -> None:
    """End the process even when a job is deep in a long step."""
    timer = threading.Timer(STOP_WITHIN_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()


async def _work_until(stop: asyncio.Event, context: AppContext, stopping: threading.Event) -> None:
    """Work until told to stop, or until the connection is lost (then wait a moment)."""
    app = _queue_app(context, stopping)
    try:
        async with app.open_async():
            await _forget_stalled(app)
            working = asyncio.create_task(
                app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=context.settings.worker_concurrency,
                    fetch_job_polling_interval=POLL_SECONDS,
                    install_signal_handlers=False,
                    delete_jobs="always",
                )
            )
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            # Cancelling lets procrastinate wait for the running jobs, which are stopping.
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
    except (ConnectorException, psycopg.Error, OSError):
        _log.warning("the worker lost its connection to the database; trying again")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=1.0)


async def _forget_stalled(app: App) -> None:
    """Remove messages that a killed worker had taken: `recover` has sent them again by now."""
    for message in await app.job_manager.get_stalled_jobs(queue=QUEUE):
        await app.job_manager.finish_job(message, status=Status.FAILED, delete_job=True)


async def _recover(context: AppContext) -> None:
    """Look now and then for jobs that lost their worker."""
    while True:
        try:
            await asyncio.to_thread(recover, context)
        except DBAPIError:
            _log.warning("the database does not answer")
        await asyncio.sleep(RECOVER_EVERY_SECONDS)
