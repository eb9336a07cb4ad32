"""The command line. Each command is one transaction, or hands over to what does the work.

Modules that take long to load are imported by the commands that need them: ``--help`` and a
wrong option answer at once. Errors are one sentence on stderr; the exit code is 2 for a wrong
call and 1 for everything else that fails.
"""

import logging
import os
import sys
from pathlib import Path

import click

from app import __version__, cli_check, cli_transfers
from app.cli_parts import load_settings, log_to_stderr, running_parts

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="maskwright")
def cli() -> None:
    """Maskwright: annotate images together, in the COCO format.

    Settings are environment variables MASKWRIGHT_* or the same names in a file .env.
    """


@cli.command()
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default 8000).")
@click.option("--demo", is_flag=True, help="Add a small ready-made dataset to try at once.")
@click.option("--worker/--no-worker", default=True, help="Run a job worker, too (default).")
@click.option("--with-parent", is_flag=True, help="Stop when the process that started this ends.")
def serve(
    host: str | None, port: int | None, *, demo: bool, worker: bool, with_parent: bool
) -> None:
    """Run everything: database, migrations, web server and worker."""
    from app import supervisor

    if with_parent:
        supervisor.follow_parent()
    settings = load_settings(host=host, port=port)
    log_to_stderr(settings.log_level)
    try:
        supervisor.serve(settings, worker=worker, demo=demo, say=click.echo)
    except supervisor.ServeError as error:
        raise click.ClickException(str(error)) from error


@cli.command(hidden=True)
@click.option("--socket", "descriptor", type=int, required=True)
@click.option("--demo", is_flag=True)
def web(descriptor: int, *, demo: bool) -> None:
    """Be the web process of `serve`, on the socket that it has opened."""
    from app import web_process

    settings = load_settings()
    log_to_stderr(settings.log_level)
    web_process.run(settings, descriptor, demo=demo)


@cli.command(hidden=True)
@click.option("--socket", "descriptor", type=int, required=True)
def long_bodies(descriptor: int) -> None:
    """Answer requests with long bodies for the web process, which holds the socket's other end."""
    from app import long_process

    settings = load_settings()
    log_to_stderr(settings.log_level)
    long_process.run(settings, descriptor)


@cli.command()
def worker() -> None:
    """Run one more job worker."""
    from app.jobs.worker import run_worker

    with running_parts() as context:
        run_worker(context)


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    from app import db
    from app.embedded_postgres import borrowed

    settings = load_settings()
    log_to_stderr(settings.log_level)
    if settings.database_url is not None:
        db.migrate(settings.database_url)
    else:
        with borrowed(settings.data_dir, settings.postgres_bin) as url:
            db.migrate(url)
    click.echo("The database is up to date.")


@cli.group()
def user() -> None:
    """Accounts."""


def _ask_password(email: str, *, from_stdin: bool) -> tuple[str, bool]:
    """A password, and whether we made it up because nobody was there to ask."""
    import secrets

    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if sys.stdin.isatty():
        asked = click.prompt(
            f"Password for {email}", hide_input=True, confirmation_prompt=True, err=True
        )
        return str(asked), False
    return secrets.token_urlsafe(9), True


def _tell_password(email: str, password: str, *, made_up: bool) -> None:
    if made_up:
        click.echo(f"{email} signs in with password {password}")


password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
)


@user.command("add")
@click.argument("email")
@click.option("--admin", is_flag=True, help="May see and do everything.")
@click.option("--name", default="", help="The person's name.")
@password_option
def user_add(email: str, name: str, *, admin: bool, password_stdin: bool) -> None:
    """Make an account; asks for the password, or makes one up when there is nobody to ask."""
    from app.services import users

    password, made_up = _ask_password(email, from_stdin=password_stdin)
    with running_parts() as context, context.sessions.begin() as session:
        users.create_user(session, email=email, password=password, name=name, is_admin=admin)
    _tell_password(email, password, made_up=made_up)


@user.command("list")
def user_list() -> None:
    """Print every account: address, role, state and name, separated by tabs."""
    from app.services import users

    with running_parts() as context, context.sessions.begin() as session:
        for row in users.list_users(session):
            role = "admin" if row.is_admin else "user"
            state = "disabled" if row.disabled_at else "active"
            click.echo(f"{row.email}\t{role}\t{state}\t{row.name}".rstrip())


def _set_disabled(email: str, *, disabled: bool) -> None:
    from app.services import users

    with running_parts() as context, context.sessions.begin() as session:
        row = users.user_by_email(session, email=email)
        users.set_disabled(session, user=row, disabled=disabled)


@user.command("disable")
@click.argument("email")
def user_disable(email: str) -> None:
    """Shut an account out: its sessions end, its tokens stop working."""
    _set_disabled(email, disabled=True)


@user.command("enable")
@click.argument("email")
def user_enable(email: str) -> None:
    """Let a disabled account in again."""
    _set_disabled(email, disabled=False)


@user.command("password")
@click.argument("email")
@password_option
def user_password(email: str, *, password_stdin: bool) -> None:
    """Give an account a new password, and sign it out everywhere."""
    from app.services import users

    password, made_up = _ask_password(email, from_stdin=password_stdin)
    with running_parts() as context, context.sessions.begin() as session:
        row = users.user_by_email(session, email=email)
        users.set_password(session, user=row, password=password)
    _tell_password(email, password, made_up=made_up)


@cli.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@click.option("--email", required=True, help="Whose token it is.")
@click.option("--name", default="command line", help="What it is for.")
def token_create(email: str, name: str) -> None:
    """Print a new API token and nothing else."""
    from app.services import users

    with running_parts() as context, context.sessions.begin() as session:
        owner = users.user_by_email(session, email=email)
        if owner.disabled_at is not None:
            raise click.ClickException(f"The account {owner.email} is disabled: enable it first.")
        _, secret = users.create_token(session, user=owner, name=name)
    click.echo(secret)


cli.add_command(cli_transfers.import_files)
cli.add_command(cli_transfers.export_to_file)
cli.add_command(cli_check.check)


def _sentence(error: BaseException) -> str:
    """What to tell a person about an error that a command met."""
    from pydantic import ValidationError

    from app.embedded_postgres import PostgresError
    from app.errors import AppError

    if isinstance(error, AppError):
        return error.detail
    if isinstance(error, PostgresError):
        return str(error)
    if isinstance(error, OSError):
        named = f" {Path(os.fsdecode(error.filename))}:" if error.filename else ""
        return f"This failed:{named} {error.strerror or error}."
    if isinstance(error, ValidationError):
        return f"A value is not right: {error.errors()[0]['msg']}."
    origin = getattr(error, "orig", None) or error
    said = (str(origin).strip() or type(origin).__name__).splitlines()[0]
    kind = "The database refused" if hasattr(error, "orig") else "Something unexpected went wrong"
    return f"{kind}: {said}"


def _fail(message: str, code: int) -> int:
    click.echo(f"maskwright: {' '.join(message.split())}", err=True)
    return code


def run(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        ended = cli.main(arguments, prog_name="maskwright", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("Stopped.", 1)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        # A person gets a sentence; LOG_LEVEL=debug shows where it came from.
        logging.getLogger(__name__).debug("the command failed", exc_info=True)
        return _fail(_sentence(error), 1)
    return ended if isinstance(ended, int) else 0


def main() -> None:
    """The console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
