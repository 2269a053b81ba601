"""Ids and assets in paths.

What is no id is no address either, so that names beside them stay free.
"""

from typing import Annotated, Final

from fastapi import Path
from starlette.convertors import StringConvertor, register_url_convertor

from coffers.serving.ids import IdConvertor

BASE: Final = "/public/api/ver1"


class _AssetConvertor(StringConvertor):
    """An asset's code, which may have slashes in it: `osmosis:factory/osmo1.../ufoo`.

    Paths are decoded before they are looked at, so that a slash is none of another kind where it
    came as `%2F`. What follows behind the code counts as that where a route has it.
    """

    regex = "(?s:.+)"


register_url_convertor("id", IdConvertor())
register_url_convertor("asset", _AssetConvertor())

ACCOUNT: Final = f"{BASE}/accounts/{{account_id:id}}"
"""The path of an account by its id."""

SUMMARY_PATH: Final = f"{BASE}/accounts/summary"

AssetCode = Annotated[str, Path(description="An asset's code: BTC, or ethereum:0x...")]
AccountId = Annotated[int, Path(description="The account's id.", ge=0)]
