"""Calls of boto3's clients in a piece of code: which operation of which service."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import botocore.session
from botocore import xform_name

from infra.prover.source.code import Piece, module

# What boto3 adds to a client of S3, and what it calls (S3Transfer: parts for what is large).
_PARTS = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload")
_TRANSFERS: Mapping[str, tuple[str, ...]] = {
    "upload_file": ("PutObject", *_PARTS),
    "upload_fileobj": ("PutObject", *_PARTS),
    "download_file": ("HeadObject", "GetObject"),
    "download_fileobj": ("HeadObject", "GetObject"),
}
_BY_NAME = ("get_paginator", "get_waiter")


@dataclass(frozen=True, order=True)
class ClientCall:
    """One operation, and where it stands."""

    service: str
    operation: str
    module: str
    function: str

    @property
    def site(self) -> str:
        """As the recorder names it."""
        return f"{self.module}:{self.function}"


def services_of(pieces: Sequence[Piece]) -> set[str]:
    """The services of which a client is made there, or a parameter is by its type (`mypy_boto3_s3.S3Client`)."""
    found = set()
    for piece in pieces:
        for node in piece.walk():
            if isinstance(node, ast.Call) and _called(node) in ("client", "clients", "_clients") and node.args:
                found |= set(_texts(node.args[0]))
        home = module(piece.module)
        found |= {
            target.removeprefix("mypy_boto3_").replace("_", "-")
            for target, _ in (home.imported.values() if home else ())
            if target.startswith("mypy_boto3_")
        }
    return found.intersection(botocore.session.get_session().get_available_services())


def client_calls(pieces: Sequence[Piece], services: set[str]) -> Iterator[ClientCall]:
    """Every method called whose name is an operation of one of the services."""
    by_method = {(service, method): names for service in services for method, names in _operations(service).items()}
    for piece in pieces:
        for node in piece.walk():
            for method in _methods(node):
                for service in sorted(services):
                    for operation in by_method.get((service, method), ()):
                        yield ClientCall(service, operation, piece.module, piece.qualified)


def mentioned_calls(pieces: Sequence[Piece], services: set[str]) -> Iterator[ClientCall]:
    """Every method that is named, be it without a call: `change = client.enable if on else client.disable`, or as the
    text that a paginator will be got by.
    """
    for piece in pieces:
        for node in piece.walk():
            names = [node.attr] if isinstance(node, ast.Attribute) else _texts(node)
            for service in sorted(services):
                for name in names:
                    for operation in _operations(service).get(name, ()):
                        yield ClientCall(service, operation, piece.module, piece.qualified)


def _methods(node: ast.AST) -> list[str]:
    """The methods that a call makes or hands on: `client.scan(...)`, `get_paginator("scan")`, `map(client.get, x)`."""
    if not isinstance(node, ast.Call):
        return []
    if _called(node) in _BY_NAME and node.args:
        return _texts(node.args[0])
    handed = [*node.args, *(keyword.value for keyword in node.keywords)]
    return [one.attr for one in (node.func, *handed) if isinstance(one, ast.Attribute)]


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _texts(node: ast.AST) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


@cache
def _operations(service: str) -> Mapping[str, tuple[str, ...]]:
    session = botocore.session.get_session()
    model = session.get_service_model(service)
    found: dict[str, tuple[str, ...]] = {xform_name(name): (name,) for name in model.operation_names}
    if service == "s3":
        found |= _TRANSFERS
    return found
