"""Ids in paths. What is no id is no address either, so that names beside them stay free."""

from typing import Annotated, Final

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

BASE: Final = "/public/api/ver1"


class _IdConvertor(Convertor[int]):
    """A number of at most ten digits: more are nobody's id, and would only cost time."""

    regex = "[0-9]{1,10}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", _IdConvertor())

ACCOUNT: Final = f"{BASE}/accounts/{{account_id:id}}"
"""The path of an account by its id."""

SUMMARY_PATH: Final = f"{BASE}/accounts/summary"

AccountId = Annotated[int, Path(description="The account's id.", ge=0)]
