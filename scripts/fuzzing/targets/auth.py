"""What a browser brings."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from fuzzing.findings import TOKEN
from fuzzing.mutation import mutate_fields
from fuzzing.target import Target
from syncbot.auth import NotAuthentic, validate_login, validate_web_app_data


def _sign(fields: dict[str, str], key: bytes) -> str:
    text = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


class Signatures(Target):
    """Mini App data and login fields: as they came, and with the right signature put in."""

    about = "what a browser brings: Mini App data and login fields, unsigned and signed"
    shape = staticmethod(mutate_fields)
    words: ClassVar = (
        b"hash=", b"user=", b"auth_date=", b"%00", b"%0A", b"%ff", b"%F0%9F%98%80", b"=", b"&", b"99999999999999999999", b"%7B%22id%22%3A42%7D",
        b"start_param=x",
    )  # fmt: skip
    seeds: ClassVar = (
        b"query_id=AA&user=%7B%22id%22%3A42%2C%22first_name%22%3A%22A%22%7D&auth_date=1700000000&hash=00",
        b"auth_date=1700000000&start_param=x&user={}",
        b"id=7&first_name=Anna&username=anna&auth_date=1700000000",
    )

    def run(self, data: bytes) -> None:
        """One text."""
        text = data.decode("utf-8", "surrogateescape")
        self.attempt(lambda: self.must(not validate_web_app_data(text, TOKEN), "unsigned data is taken"), NotAuthentic)
        fields = dict(parse_qsl(text, keep_blank_values=True, errors="replace")[:90])
        fields.pop("hash", None)
        self.attempt(lambda: self.must(not validate_login(fields | {"hash": "0"}, TOKEN), "unsigned fields are taken"), NotAuthentic)
        login = fields | {"hash": _sign(fields, hashlib.sha256(TOKEN.encode()).digest())}
        self.attempt(lambda: validate_login(login, TOKEN, max_age=None), NotAuthentic)
        signed = f"{text}&hash={_sign(fields, hmac.new(b'WebAppData', TOKEN.encode(), hashlib.sha256).digest())}"
        self.attempt(lambda: validate_web_app_data(signed, TOKEN, max_age=None), NotAuthentic)

    def plant(self, value: Any) -> bool:
        """A bug for an app that was opened by a link that carried something, in a query, by nobody."""
        return bool(
            getattr(value, "start_param", "")
            and value.query_id
            and value.user_id is None
        )  # fmt: skip
