"""The API's description at /openapi.json: what FastAPI writes, made true in two places."""

from typing import Any

from fastapi import FastAPI

from app.api.problems import Problem

__all__ = ["install"]

_SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {"type": "apiKey", "in": "cookie", "name": "maskwright_session"},
}
_OPEN = frozenset({("/api/session", "post"), ("/healthz", "get"), ("/readyz", "get")})


def install(app: FastAPI) -> None:
    """Describe our error body and how to sign in."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(original())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> dict[str, Any]:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    # FastAPI's own error body is never sent.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["securitySchemes"] = _SECURITY
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if (path, method) not in _OPEN:
                operation["security"] = [{"token": []}, {"session": []}]
    return schema
