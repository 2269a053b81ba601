"""Which assets are states' money, which stand for the dollar, and which amounts are shown in."""

DOLLAR = "USD"
BITCOIN = "BTC"

STABLECOINS = frozenset(
    {
        "BUSD",
        "DAI",
        "FDUSD",
        "GUSD",
        "LUSD",
        "PYUSD",
        "RLUSD",
        "TUSD",
        "USD1",
        "USDC",
        "USDD",
        "USDE",
        "USDG",
        "USDP",
        "USDS",
        "USDT",
    }
)
"""Tokens that are meant to be worth a dollar; what they are worth is found like any price."""

FIAT = (
    "AED",
    "ARS",
    "AUD",
    "BRL",
    "CAD",
    "CHF",
    "CLP",
    "CNY",
    "COP",
    "CZK",
    "DKK",
    "EUR",
    "GBP",
    "HKD",
    "HUF",
    "IDR",
    "ILS",
    "INR",
    "JPY",
    "KRW",
    "KZT",
    "MXN",
    "MYR",
    "NGN",
    "NOK",
    "NZD",
    "PEN",
    "PHP",
    "PLN",
    "RON",
    "RUB",
    "SAR",
    "SEK",
    "SGD",
    "THB",
    "TRY",
    "TWD",
    "UAH",
    "VND",
    "ZAR",
)
"""States' money other than the dollar that venues quote pairs in."""

DISPLAY_CURRENCIES = (DOLLAR, *FIAT, BITCOIN, "BNB", "ETH", "SOL", "USDC", "USDT", "XRP")
"""What a user can read amounts in; their rates are kept for the past."""

WITH_OWN_PAIR = STABLECOINS | frozenset(FIAT)
"""Assets that are priced by their own dollar pair alone wherever there is one."""
