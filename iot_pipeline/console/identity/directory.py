"""The people whom the provider lets in, where that is Cognito: a user pool, whose groups are roles and tenants."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Amazon Cognito, "Quotas": 30 requests a second that read users, for all who ask.
_AT_ONCE = 4


class PersonError(Exception):
    """A change of somebody that cannot be made. The text names whom, and why."""


@dataclass(frozen=True)
class Entry:
    """Somebody in the pool. `status` is Cognito's, as CONFIRMED or FORCE_CHANGE_PASSWORD; `made` is in UTC."""

    name: str
    subject: str
    groups: tuple[str, ...]
    enabled: bool
    status: str
    made: datetime


class Directory:
    """Reads and changes a pool, with a client of `cognito-idp`. Every method raises botocore's errors."""

    def __init__(self, cognito: Any, pool: str) -> None:
        self._cognito, self._pool = cognito, pool

    def people(self) -> list[Entry]:
        """Everybody, by name."""
        groups: dict[str, list[str]] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            users = pool.submit(lambda: list(self._pages("list_users", "Users")))
            names = [group["GroupName"] for group in self._pages("list_groups", "Groups")]
            for group, members in zip(names, pool.map(self._members, names), strict=True):
                for member in members:
                    groups.setdefault(member, []).append(group)
        found = (_entry(user, user["Attributes"], groups.get(user["Username"], ())) for user in users.result())
        return sorted(found, key=lambda entry: entry.name)

    def find(self, name: str) -> Entry:
        """Somebody by name. Raises PersonError for nobody."""
        try:
            user = self._cognito.admin_get_user(UserPoolId=self._pool, Username=name)
        except self._cognito.exceptions.UserNotFoundException as error:
            raise PersonError(f"{name}: nobody of this name is in the user pool") from error
        pages = self._pages("admin_list_groups_for_user", "Groups", Username=name)
        return _entry(user, user["UserAttributes"], [group["GroupName"] for group in pages])

    def add(self, name: str, group: str) -> str:
        """Let somebody in, or change nothing. The password for the first sign-in, which must be changed there.

        Raises PersonError.
        """
        password = new_password()
        try:
            self._cognito.admin_create_user(
                UserPoolId=self._pool, Username=name, TemporaryPassword=password, MessageAction="SUPPRESS"
            )
        except self._cognito.exceptions.UsernameExistsException as error:
            raise PersonError(f"{name}: there is somebody of this name already") from error
        try:
            self._join(name, group)
        except Exception:
            # Without a group nobody can sign in, and the password is lost with this error.
            self._cognito.admin_delete_user(UserPoolId=self._pool, Username=name)
            raise
        return password

    def assign(self, entry: Entry, group: str) -> None:
        """Put somebody into one group alone. Interrupted, it leaves somebody who can do less, never more."""
        for other in entry.groups:
            if other != group:
                self._cognito.admin_remove_user_from_group(UserPoolId=self._pool, Username=entry.name, GroupName=other)
        self._join(entry.name, group)

    def enable(self, entry: Entry, *, enabled: bool) -> None:
        """Let somebody sign in again, or not any more."""
        change = self._cognito.admin_enable_user if enabled else self._cognito.admin_disable_user
        change(UserPoolId=self._pool, Username=entry.name)

    def _members(self, group: str) -> list[str]:
        return [user["Username"] for user in self._pages("list_users_in_group", "Users", GroupName=group)]

    def _join(self, name: str, group: str) -> None:
        # A tenant's group is made with its first person.
        with suppress(self._cognito.exceptions.GroupExistsException):
            self._cognito.create_group(UserPoolId=self._pool, GroupName=group)
        self._cognito.admin_add_user_to_group(UserPoolId=self._pool, Username=name, GroupName=group)

    def _pages(self, operation: str, of: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        for page in self._cognito.get_paginator(operation).paginate(UserPoolId=self._pool, **arguments):
            yield from page[of]


def _entry(user: dict[str, Any], attributes: list[dict[str, str]], groups: Any) -> Entry:
    (subject,) = (each["Value"] for each in attributes if each["Name"] == "sub")
    made: datetime = user["UserCreateDate"]
    return Entry(user["Username"], subject, tuple(groups), user["Enabled"], user["UserStatus"], made)


def new_password() -> str:
    """A random password, with one of each kind of characters that a pool's policy can ask for."""
    return f"{secrets.token_urlsafe(18)}-Aa1"
