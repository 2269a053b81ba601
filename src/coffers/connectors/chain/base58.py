"""Base58 without a checksum, in the alphabets of the chains; who uses it knows the checksum."""

BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""The digits that Bitcoin, Tron and Solana use."""

RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
"""The digits of the XRP Ledger."""

_LONGEST = 120


def encode(data: bytes, digits: str = BITCOIN) -> str:
    """Return bytes in base58."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
    return digits[0] * (len(data) - len(data.lstrip(b"\0"))) + text


def decode(text: str, digits: str = BITCOIN) -> bytes | None:
    """Return the bytes of a text, None where it is no base58 or longer than any address."""
    if not text or len(text) > _LONGEST or not set(text) <= set(digits):
        return None
    number = 0
    for char in text:
        number = number * len(digits) + digits.index(char)
    zeros = len(text) - len(text.lstrip(digits[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
