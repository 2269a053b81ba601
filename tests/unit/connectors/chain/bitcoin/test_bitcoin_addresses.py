"""Addresses of Bitcoin and its kin: which are taken, in which form, and why others are not."""

import pytest
from embit import base58, bech32, bip32
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.bitcoin import cashaddr
from coffers.connectors.chain.bitcoin.addresses import address_of, script_of
from coffers.connectors.chain.bitcoin.networks import NETWORKS
from coffers.connectors.chain.bitcoin.wallet import canonical_text
from coffers.connectors.chain.refusals import AddressFault, AddressRefused

HASH = "f54a5851e9372b87810a8e60cdd2e7cfd80b6e31"
KEY = "76a914" + HASH + "88ac"
SCRIPT = "a914" + HASH + "87"
ROOT = bip32.HDKey.from_seed(bytes(range(32))).to_public()

# Addresses as written, their canonical form and their script: BIP-173 and BIP-350, the CashAddr
# specification, and the networks' own tests.
TAKEN = [
    ("bitcoin", "1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAs", None, KEY),
    ("bitcoin", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", None, None),
    (
        "bitcoin",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "0014751e76e8199196d454941c45d1b3a323f1433bd6",
    ),
    (
        "bitcoin",
        "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
        None,
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
    ),
    (
        "bitcoin",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        None,
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
    (
        "bitcoin",
        "bitcoin:1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAs?amount=1&label=x",
        "1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAs",
        KEY,
    ),
    ("litecoin", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", None, None),
    ("litecoin", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", None, None),
    (
        "litecoin",
        "3MSvaVbVFFLML86rt5eqgA9SvW23upaXdY",
        "MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh",
        None,
    ),
    ("litecoin", "MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh", None, None),
    ("dogecoin", "DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD", None, None),
    ("dogecoin", "9rXbkMyi1S6thykRoXAZcY8fwUKYsy6cXE", None, None),
    ("bitcoin_cash", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", None, None),
    (
        "bitcoin_cash",
        "QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A",
        "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        None,
    ),
    (
        "bitcoin_cash",
        "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu",
        "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        None,
    ),
    (
        "bitcoin_cash",
        "3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC",
        "bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq",
        None,
    ),
]

REFUSED = [
    ("bitcoin", "1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAt", AddressFault.CHECKSUM),
    ("bitcoin", "1PMycacnJaSqwwJqjawXBErnLsZ7RkXUA", AddressFault.CHECKSUM),
    ("bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", AddressFault.CHECKSUM),
    ("bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kV8f3t4", AddressFault.CHECKSUM),
    # BIP-350: Taproot with the old checksum, version 0 with the new one.
    (
        "bitcoin",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        AddressFault.CHECKSUM,
    ),
    ("bitcoin", "bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq9qzctt", "checksum"),
    # BIP-350: a version and lengths that nobody uses.
    ("bitcoin", "BC1SW50QGDZ25J", AddressFault.MALFORMED),
    ("bitcoin", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", AddressFault.MALFORMED),
    ("bitcoin", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", AddressFault.OTHER_NETWORK),
    ("bitcoin", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", AddressFault.OTHER_NETWORK),
    ("bitcoin", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", AddressFault.OTHER_NETWORK),
    ("bitcoin", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", AddressFault.OTHER_NETWORK),
    ("bitcoin", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", AddressFault.OTHER_CHAIN),
    ("bitcoin", "MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh", AddressFault.OTHER_CHAIN),
    ("bitcoin", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", AddressFault.OTHER_CHAIN),
    ("bitcoin", "DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD", AddressFault.OTHER_CHAIN),
    ("bitcoin", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", AddressFault.OTHER_CHAIN),
    ("litecoin", "1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAs", AddressFault.OTHER_CHAIN),
    ("litecoin", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc2", AddressFault.CHECKSUM),
    ("litecoin", "tltc1qw508d6qejxtdg4y5r3zarvary0c5xw7klfsuq0", AddressFault.OTHER_NETWORK),
    ("litecoin", "ltcmweb1qqtzfv3f0gqfgd42lghk", AddressFault.MALFORMED),
    ("dogecoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", AddressFault.OTHER_CHAIN),
    ("dogecoin", "DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyE", AddressFault.CHECKSUM),
    ("bitcoin_cash", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", AddressFault.OTHER_CHAIN),
    ("bitcoin_cash", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6c", AddressFault.CHECKSUM),
    (
        "bitcoin_cash",
        cashaddr.encode("bchtest", 0, bytes.fromhex(HASH)),
        AddressFault.OTHER_NETWORK,
    ),
    ("bitcoin", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", AddressFault.MALFORMED),
    ("bitcoin", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", AddressFault.MALFORMED),
    ("bitcoin", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", AddressFault.MALFORMED),
    ("bitcoin", "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV", AddressFault.MALFORMED),
    ("bitcoin", "cosmos1clpqr4nrk4khgkxj78fcwwh6dl3uw4epsluffn", AddressFault.MALFORMED),
    ("bitcoin", "vitalik.eth", AddressFault.MALFORMED),
    ("bitcoin", "", AddressFault.MALFORMED),
    ("bitcoin", ":", AddressFault.MALFORMED),
    ("bitcoin", "1", AddressFault.MALFORMED),
]


def refusal(network: str, text: str) -> AddressRefused:
    with pytest.raises(AddressRefused) as caught:
        canonical_text(text, NETWORKS[network])
    assert len(text) < len("vitalik.eth") or text not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(("network", "written", "form", "script"), TAKEN)
def test_an_address_has_one_form(
    network: str, written: str, form: str | None, script: str | None
) -> None:
    assert canonical_text(written, NETWORKS[network]) == (form or written)
    if script is not None:
        assert script_of(written, NETWORKS[network]).hex() == script


@pytest.mark.parametrize(("network", "text", "fault"), REFUSED)
def test_each_fault_is_told_apart(network: str, text: str, fault: str) -> None:
    assert refusal(network, text).fault == fault


def test_another_chain_is_named_with_its_market() -> None:
    sentence = str(refusal("bitcoin", "DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD"))

    assert "an address of Dogecoin, not of Bitcoin" in sentence
    assert "dogecoin_wallet" in sentence


def test_mweb_is_refused_by_a_sentence_of_its_own() -> None:
    assert "MWEB" in str(refusal("litecoin", "ltcmweb1qqtzfv3f0gqfgd42lghk"))


@pytest.mark.parametrize(
    ("network", "version", "fault"),
    [
        ("bitcoin", "043587cf", AddressFault.OTHER_NETWORK),  # tpub
        ("bitcoin", "045f1cf6", AddressFault.OTHER_NETWORK),  # vpub
        ("bitcoin", "019da462", AddressFault.OTHER_CHAIN),  # Ltub
        ("bitcoin", "02facafd", AddressFault.OTHER_CHAIN),  # dgub
        ("bitcoin", "02aa7ed3", AddressFault.MALFORMED),  # Zpub, a cosigner's
        ("dogecoin", "04b24746", AddressFault.OTHER_CHAIN),  # zpub where there is no segwit
    ],
)
def test_keys_that_do_not_belong_are_refused(network: str, version: str, fault: str) -> None:
    key = base58.encode_check(bytes.fromhex(version) + ROOT.serialize()[4:])

    assert refusal(network, key).fault == fault


@pytest.mark.parametrize(
    ("network", "version"),
    [
        ("bitcoin", "0488b21e"),
        ("bitcoin", "049d7cb2"),
        ("litecoin", "019da462"),
        ("litecoin", "01b26ef6"),
        ("litecoin", "04b24746"),
        ("dogecoin", "02facafd"),
        ("dogecoin", "0488b21e"),
        ("bitcoin_cash", "0488b21e"),
    ],
)
def test_keys_that_belong_are_taken_as_they_are(network: str, version: str) -> None:
    key = base58.encode_check(bytes.fromhex(version) + ROOT.serialize()[4:])

    assert canonical_text(key, NETWORKS[network]) == key


def test_a_key_with_a_wrong_character_is_refused() -> None:
    key = ROOT.to_base58()
    wrong = key[:50] + ("A" if key[50] != "A" else "B") + key[51:]

    assert refusal("bitcoin", wrong).fault is AddressFault.CHECKSUM
    assert refusal("bitcoin", key[:-2]).fault is AddressFault.CHECKSUM


def test_a_key_that_is_no_point_is_refused() -> None:
    data = ROOT.serialize()[:45] + b"\x02" + b"\xff" * 32

    assert refusal("bitcoin", base58.encode_check(data)).fault is AddressFault.MALFORMED


def test_cosigners_keys_are_sent_to_descriptors() -> None:
    key = base58.encode_check(bytes.fromhex("02aa7ed3") + ROOT.serialize()[4:])

    assert "output descriptor" in str(refusal("bitcoin", key))


@pytest.mark.parametrize(
    ("kind", "payload", "address"),
    [
        (
            0,
            "F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9",
            "bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2",
        ),
        (
            1,
            "F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9",
            "bitcoincash:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyguug74nh",
        ),
    ],
)
def test_cash_addresses_are_those_of_the_specification(
    kind: int, payload: str, address: str
) -> None:
    data = bytes.fromhex(payload)

    assert cashaddr.encode("bitcoincash", kind, data) == address
    assert cashaddr.decode("bitcoincash", address.partition(":")[2]) == (kind, data)


@given(st.binary(min_size=20, max_size=20), st.sampled_from(sorted(NETWORKS)), st.booleans())
def test_scripts_and_addresses_are_each_others_way_back(
    hash_: bytes, id_: str, is_key: bool
) -> None:
    network = NETWORKS[id_]
    script = b"\x76\xa9\x14" + hash_ + b"\x88\xac" if is_key else b"\xa9\x14" + hash_ + b"\x87"
    address = address_of(script, network)

    assert address is not None
    assert script_of(address, network) == script
    assert canonical_text(address, network) == address


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["bitcoin", "litecoin"]))
def test_long_scripts_and_addresses_are_each_others_way_back(program: bytes, id_: str) -> None:
    network = NETWORKS[id_]
    for opening in (b"\x00\x20", b"\x51\x20"):
        address = address_of(opening + program, network)
        assert address is not None
        assert script_of(address, network) == opening + program


@given(st.binary(min_size=32, max_size=32), st.sampled_from([0, 1]))
def test_long_cash_addresses_lead_back(program: bytes, kind: int) -> None:
    network = NETWORKS["bitcoin_cash"]
    address = cashaddr.encode("bitcoincash", 1, program)

    assert address_of(script_of(address, network), network) == address
    if kind == 0:
        assert refusal("bitcoin_cash", cashaddr.encode("bitcoincash", 0, program)).fault == (
            AddressFault.MALFORMED
        )


@given(
    st.one_of(
        st.text(max_size=120),
        st.text("qpzry9x8gf2tvdw0s3jn54khce6mua7l", max_size=70).map(lambda text: f"bc1{text}"),
        st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdef", min_size=20, max_size=115),
        st.text("qpzry9x8gf2tvdw0s3jn54khce6mua7l", max_size=60).map("bitcoincash:q{}".format),
        st.text("(),/*<;>{}#[]0123456789abcdefhkmpstuwrx ", max_size=80).map("wsh({}".format),
        st.binary(max_size=90).map(base58.encode_check),
    ),
    st.sampled_from(sorted(NETWORKS)),
)
def test_junk_is_refused_without_being_repeated(text: str, id_: str) -> None:
    try:
        taken = canonical_text(text, NETWORKS[id_])
    except AddressRefused as refused:
        is_repeated = len(text) > len("0123456789abcdef") and text in str(refused)
    else:
        is_repeated = canonical_text(taken, NETWORKS[id_]) != taken
    assert not is_repeated


@given(st.binary(min_size=20, max_size=20), st.data())
def test_one_wrong_character_never_makes_another_address(hash_: bytes, data: st.DataObject) -> None:
    address = bech32.encode("bc", 0, hash_)
    place = data.draw(st.integers(3, len(address) - 1))
    letter = data.draw(st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
    wrong = address[:place] + letter + address[place + 1 :]
    if wrong != address:
        assert refusal("bitcoin", wrong).fault is AddressFault.CHECKSUM
