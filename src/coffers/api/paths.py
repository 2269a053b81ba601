"""Ids in paths. What is no id is no address either, so that names beside them stay free."""

from typing import Annotated, Final

from fastapi import Path
from starlette.convertors import register_url_convertor

from coffers.serving.ids import IdConvertor

BASE: Final = "/public/api/ver1"

register_url_convertor("id", IdConvertor())

ACCOUNT: Final = f"{BASE}/accounts/{{account_id:id}}"
"""The path of an account by its id."""

SUMMARY_PATH: Final = f"{BASE}/accounts/summary"

AccountId = Annotated[int, Path(description="The account's id.", ge=0)]
