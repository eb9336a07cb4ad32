"""/docs: the API's description as a page of our own, which needs no other server.

It shows what ``/openapi.json`` says: every route by subject, with parameters, bodies, answers and
a command to try it, and every schema.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api import deps
from app.api.deps import ContextDep, SessionDep
from app.web.render import Viewer, renderer

__all__ = ["router"]

router = APIRouter()
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """A parameter or a member of a body."""

    name: str
    type: str
    required: bool
    description: str
    place: str = ""


@dataclass(frozen=True)
class Body:
    """What one media type of a request's body holds."""

    media_type: str
    schema: str
    fields: list[Field]


@dataclass(frozen=True)
class Answer:
    """One answer of a route; `schema` names its shape where it has a name."""

    status: str
    description: str
    schema: str


@dataclass(frozen=True)
class Operation:
    """One route."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    bodies: list[Body]
    answers: list[Answer]
    curl: str

    @property
    def curl_lines(self) -> int:
        return self.curl.count("\n") + 1


@dataclass
class Group:
    """The routes of one subject."""

    tag: str
    operations: list[Operation] = field(default_factory=list)


@dataclass(frozen=True)
class NamedSchema:
    """A shape that routes share."""

    name: str
    description: str
    fields: list[Field]


def _name(schema: Schema) -> str:
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def _type(schema: Schema) -> str:
    """A schema in a few words: ``integer or null``, ``list of Annotation``."""
    if "$ref" in schema:
        return _name(schema)
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(part) for part in schema[key]))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and "additionalProperties" in schema and schema["additionalProperties"]:
        extra = schema["additionalProperties"]
        return f"object of {_type(extra)}" if isinstance(extra, Mapping) else "object"
    form = schema.get("format")
    return f"{kind} ({form})" if form else str(kind)


def _fields(schema: Schema) -> list[Field]:
    required = set(schema.get("required", ()))
    return [
        Field(name, _type(member), name in required, _note(member))
        for name, member in schema.get("properties", {}).items()
    ]


def _note(member: Schema) -> str:
    """A description, with the default where there is one worth naming."""
    text = str(member.get("description", ""))
    default = member.get("default")
    if default in (None, "", []):
        return text
    return f"{text} Default: {json.dumps(default)}.".strip()


def _parameters(operation: Schema) -> list[Field]:
    return [
        Field(
            name=parameter["name"],
            type=_type(parameter.get("schema", {})),
            required=parameter.get("required", False),
            description=parameter.get("description") or _note(parameter.get("schema", {})),
            place=parameter["in"],
        )
        for parameter in operation.get("parameters", ())
    ]


def _bodies(operation: Schema, schemas: Schema) -> list[Body]:
    content = operation.get("requestBody", {}).get("content", {})
    found = []
    for media_type, body in content.items():
        schema = body.get("schema", {})
        name = _name(schema)
        fields = _fields(schemas.get(name, schema))
        found.append(Body(media_type, name, fields))
    return found


def _answers(operation: Schema) -> list[Answer]:
    found = []
    for status, answer in operation["responses"].items():
        schemas = [body.get("schema", {}) for body in answer.get("content", {}).values()]
        name = next((_name(schema) for schema in schemas if _name(schema)), "")
        found.append(Answer(str(status), answer.get("description", ""), name))
    return sorted(found, key=lambda answer: answer.status)


def _example(schema: Schema, schemas: Schema) -> Any:
    """The smallest value that shows a schema's shape."""
    schema = schemas.get(_name(schema), schema)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return _example(schema[key][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", ())
        members = schema.get("properties", {})
        return {name: _example(members[name], schemas) for name in required if name in members}
    if kind == "array":
        return []
    return {"string": "…", "integer": 1, "number": 0.5, "boolean": True}.get(str(kind))


def _curl(method: str, path: str, operation: Schema, schemas: Schema, base: str) -> str:
    parts = ["curl -H 'Authorization: Bearer TOKEN'"]
    if method != "GET":
        parts.append(f"-X {method}")
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        schema = content["application/json"].get("schema", {})
        body = json.dumps(_example(schema, schemas), ensure_ascii=False)
        parts.append(f"\\\n  -H 'Content-Type: application/json' --data {shlex.quote(body)}")
    elif "multipart/form-data" in content:
        schema = content["multipart/form-data"].get("schema", {})
        names = [f.name for f in _fields(schemas.get(_name(schema), schema)) if f.required]
        parts += [f"-F {name}=@FILE" for name in names or ["file"]]
    parts.append(f"\\\n  '{base}{path}'")
    return " ".join(parts)


def _groups(description: Schema, base: str) -> list[Group]:
    schemas = description.get("components", {}).get("schemas", {})
    groups: dict[str, Group] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            verb = method.upper()
            groups.setdefault(tag, Group(tag)).operations.append(
                Operation(
                    id=operation["operationId"],
                    method=verb,
                    path=path,
                    summary=_summary(operation),
                    description=_rest(operation),
                    parameters=_parameters(operation),
                    bodies=_bodies(operation, schemas),
                    answers=_answers(operation),
                    curl=_curl(verb, path, operation, schemas, base),
                )
            )
    return list(groups.values())


def _summary(operation: Schema) -> str:
    """The description's first sentence; the generated summary is only the function's name."""
    text: str = operation.get("description", "") or operation.get("summary", "")
    return text.partition("\n")[0]


def _rest(operation: Schema) -> str:
    """What the description says after its first line, which is the summary."""
    text: str = operation.get("description", "")
    return text.partition("\n")[2].strip()


def _schemas(description: Schema) -> Iterable[NamedSchema]:
    schemas = description.get("components", {}).get("schemas", {})
    for name in sorted(schemas):
        schema = schemas[name]
        yield NamedSchema(name, str(schema.get("description", "")), _fields(schema))


@router.get("/docs")
def reference(request: Request, context: ContextDep, session: SessionDep) -> Response:
    """The API reference; open to everybody, like the description that it shows."""
    identity = deps.find_identity(request, context, session)
    description = request.app.openapi()
    base = context.settings.base_url or str(request.base_url).rstrip("/")
    return renderer(request)(
        request,
        "reference.html",
        viewer=Viewer.of(identity.user) if identity else None,
        info=description["info"],
        openapi=description["openapi"],
        groups=_groups(description, base.rstrip("/")),
        schemas=list(_schemas(description)),
    )
