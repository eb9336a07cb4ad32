"""Every setting of the server, in one class.

A setting comes from an environment variable ``MASKWRIGHT_<NAME>`` or from the same name in a
file ``.env`` in the working directory; the environment wins. Nothing reads settings at import
time: `Settings` is made by the command line or by a test, and handed down from there.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]


def _psycopg_url(url: str | None) -> str | None:
    """Accept the short spellings of a PostgreSQL address and name the driver in the result."""
    if not url:
        return None
    for prefix in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    raise ValueError("only PostgreSQL is supported: postgresql://user:password@host/database")


class Settings(BaseSettings):
    """What can be set from the outside, with defaults that suit a first try on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="MASKWRIGHT_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    data_dir: Path = Field(
        default=Path("data"),
        description="Folder of the embedded database, the blobs and the secret key.",
    )
    database_url: Annotated[str | None, AfterValidator(_psycopg_url)] = Field(
        default=None,
        description="PostgreSQL 15 or later, as postgresql://…; unset: an embedded PostgreSQL.",
    )
    database_pool_size: int = Field(
        default=15, ge=1, description="Connections that a web or worker process keeps at most."
    )
    storage_url: str | None = Field(
        default=None,
        description="Where image files are kept: unset for DATA_DIR, or s3://bucket/prefix.",
    )
    postgres_bin: Path | None = Field(
        default=None,
        description="Folder with initdb and postgres for the embedded database; "
        "unset: the ones that come with the package.",
    )
    host: str = Field(default="127.0.0.1", description="Address on which the server listens.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port on which it listens.")
    base_url: str | None = Field(
        default=None,
        description="Address under which browsers reach the server, when a proxy stands before it; "
        "https makes the cookies Secure.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Signs what browsers send back; unset: made once and kept in DATA_DIR.",
    )
    admin_email: str | None = Field(
        default=None,
        description="With ADMIN_PASSWORD: makes the first administrator while there is no user.",
    )
    admin_password: SecretStr | None = Field(
        default=None, description="Password of the first administrator."
    )
    session_days: int = Field(
        default=30, ge=1, description="Days without a visit after which a browser is signed out."
    )
    max_upload_mb: int = Field(
        default=4096, ge=1, description="Largest request body, in megabytes (10^6 bytes)."
    )
    max_image_pixels: int = Field(
        default=500_000_000,
        ge=1,
        description="Largest image, in pixels (width x height); larger ones are refused.",
    )
    tiled_from_pixels: int = Field(
        default=16_000_000,
        ge=1,
        description="Images of more pixels come to the editor as tiles, made once by the server.",
    )
    decoder_memory_mb: int = Field(
        default=4096,
        ge=1024,
        description="Memory that a process of its own may take to decode a large image, in "
        "megabytes (10^6 bytes); images that need more are refused.",
    )
    cache_mb: int = Field(
        default=20_000,
        ge=1,
        description="Most room for tiles and whole pictures made from image files, in megabytes "
        "(10^6 bytes); the least recently used go first, and are made again when asked for.",
    )
    max_zip_files: int = Field(
        default=100_000, ge=1, description="Most files that an uploaded zip may hold."
    )
    large_requests: int = Field(
        default=1,
        ge=1,
        description="Requests to the mask engine, or with a JSON body of more than a megabyte, "
        "that a web process handles at a time; others wait.",
    )
    worker_concurrency: int = Field(
        default=2, ge=1, description="Jobs that one worker process runs at a time."
    )
    log_level: str = Field(
        default="warning", description="debug, info, warning or error; written to stderr."
    )
