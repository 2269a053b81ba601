"""Output descriptors: which are read, in which form they are kept, and what is refused."""

import pytest
from embit import bip32
from embit.descriptor.checksum import add_checksum, checksum
from embit.networks import NETWORKS as EMBIT

from coffers.connectors.chain.bitcoin.addresses import address_of
from coffers.connectors.chain.bitcoin.networks import NETWORKS
from coffers.connectors.chain.bitcoin.wallet import canonical_text, wallet_of
from coffers.connectors.chain.refusals import AddressFault, AddressRefused

BITCOIN = NETWORKS["bitcoin"]
ROOT = bip32.HDKey.from_seed(bytes(range(32)))
KEYS = [ROOT.derive(f"m/48h/0h/{number}h/2h").to_public().to_base58() for number in range(3)]
KEY = KEYS[0]
HEX = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
OTHER_HEX = "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
THIRD_HEX = "03fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a1460297556"


def branches(text: str) -> list[str]:
    wallet = wallet_of(canonical_text(text, BITCOIN), BITCOIN)
    return [address_of(branch.script(0), BITCOIN) or "" for branch in wallet.branches]


def fault(text: str, network: str = "bitcoin") -> AddressFault:
    with pytest.raises(AddressRefused) as caught:
        canonical_text(text, NETWORKS[network])
    assert text not in str(caught.value)
    return caught.value.fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The examples of Bitcoin Core's description of descriptors.
        (f"wpkh({OTHER_HEX})", "00147dd65592d0ab2fe0d0257d571abf032cd9db93dc"),
        (f"sh(wpkh({THIRD_HEX}))", "a914cc6ffbc0bf31af759451068f90ba7a0272b6b33287"),
        (f"pkh({HEX})", "76a91406afd46bcdfd22ef94ac122aa11f241244a37ecc88ac"),
    ],
)
def test_single_keys_have_the_scripts_of_the_reference(text: str, expected: str) -> None:
    wallet = wallet_of(canonical_text(text, BITCOIN), BITCOIN)

    assert [branch.script(0).hex() for branch in wallet.branches] == [expected]
    assert not wallet.branches[0].is_ranged


def test_the_checksum_of_bip_380_is_kept() -> None:
    text = (
        "sh(multi(2,[00000000/111'/222]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhg"
        "bmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL,xpub68NZiKmJWnxxS6aaHmn81bvJeT"
        "ESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/0))"
        "#tjg09x5t"
    )

    assert canonical_text(text, BITCOIN).startswith("sh(multi(2,[00000000/111h/222]xpub6ERApfZ")
    assert fault(text[:-1] + "q") is AddressFault.CHECKSUM
    assert fault(text.replace("111'", "112'")) is AddressFault.CHECKSUM
    assert fault(text[:-1]) is AddressFault.CHECKSUM
    assert fault(text[:-8]) is AddressFault.CHECKSUM


def test_a_descriptor_has_one_form() -> None:
    forms = [
        f"wpkh([d34db33f/84'/0'/0']{KEY}/<0;1>/*)",
        f" wpkh( [d34db33f/84h/0h/0h]{KEY}/<0;1>/* )\n",
        add_checksum(f"wpkh([d34db33f/84'/0'/0']{KEY}/<0;1>/*)"),
    ]

    assert len({canonical_text(form.strip(), BITCOIN) for form in forms}) == 1


def test_several_paths_are_several_branches() -> None:
    assert len(branches(f"wpkh({KEY}/<0;1>/*)")) == 2
    assert len(branches(f"wpkh({KEY}/<0;1;5>/*)")) == 3
    assert branches(f"wpkh({KEY}/<0;1>/*)") == [
        *branches(f"wpkh({KEY}/<0;7>/*)")[:1],
        *branches(f"wpkh({KEY}/1/*)"),
    ]


def test_receiving_addresses_alone_bring_their_change() -> None:
    keys = ",".join(f"{key}/0/*" for key in KEYS)
    both = ",".join(f"{key}/<0;1>/*" for key in KEYS)

    assert branches(f"wsh(sortedmulti(2,{keys}))") == branches(f"wsh(sortedmulti(2,{both}))")
    assert len(branches(f"wpkh({KEY}/5/*)")) == 1
    assert len(branches(f"wpkh({KEY}/*)")) == 1


def test_two_descriptors_are_all_that_is_meant() -> None:
    receive, change = f"wpkh({KEY}/0/*)", f"wpkh({KEY}/1/*)"
    text = f"{add_checksum(receive)}\n{add_checksum(change)}"

    assert branches(text) == branches(receive)
    assert len(branches(f"{receive}\n{receive}")) == 1


def test_the_order_of_sorted_keys_does_not_matter() -> None:
    ways = [",".join(f"{key}/<0;1>/*" for key in keys) for keys in (KEYS, KEYS[::-1])]

    assert branches(f"wsh(sortedmulti(2,{ways[0]}))") == branches(f"wsh(sortedmulti(2,{ways[1]}))")
    assert branches(f"wsh(multi(2,{ways[0]}))") != branches(f"wsh(multi(2,{ways[1]}))")


@pytest.mark.parametrize(
    "text",
    [
        f"wsh(or_d(pk({KEYS[0]}/<0;1>/*),and_v(v:pkh({KEYS[1]}/<0;1>/*),older(65535))))",
        f"sh(wsh(sortedmulti(2,{KEYS[0]}/<0;1>/*,{KEYS[1]}/<0;1>/*)))",
        f"tr({KEYS[0]}/<0;1>/*,{{pk({KEYS[1]}/<0;1>/*),pk({KEYS[2]}/<0;1>/*)}})",
        f"sh(multi(1,{KEYS[0]}/<0;1>/*))",
    ],
)
def test_scripts_of_many_kinds_are_read(text: str) -> None:
    assert len(set(branches(text))) == 2


@pytest.mark.parametrize(
    "text",
    [
        "wpkh()",
        "wpkh(",
        "wsh(multi(2",
        "tr(",
        f"wpkh({KEY}/0h/*)",
        f"wpkh({KEY}/0/*h)",
        f"wpkh({KEY}/*/*)",
        f"raw({HEX})",
        "addr(1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAs)",
        f"combo({HEX})",
        f"wpkh({HEX})x",
        f"wpkh({HEX}))",
        f"wsh(wpkh({HEX}))",
        f"wsh(sortedmulti(2,{KEYS[0]}/<0;1>/*,{KEYS[1]}/<0;1;2>/*))",
        "wpkh(" + "(" * 5_000,
        f"wpkh({KEY}/<0;1>/*)" * 60,
        "wpkh(é)",
        f"wpkh({ROOT.to_base58()}/0/*)",
    ],
)
def test_what_is_no_readable_descriptor_is_refused(text: str) -> None:
    assert fault(text) is AddressFault.MALFORMED


def test_a_key_with_a_wrong_character_in_a_descriptor_is_refused() -> None:
    wrong = KEY[:60] + ("A" if KEY[60] != "A" else "B") + KEY[61:]

    assert fault(f"wpkh({wrong}/<0;1>/*)") is AddressFault.CHECKSUM


def test_keys_of_other_networks_are_refused_in_a_descriptor() -> None:
    test_key = ROOT.to_public().to_base58(EMBIT["test"]["xpub"])

    assert fault(f"wpkh({test_key}/<0;1>/*)") is AddressFault.OTHER_NETWORK


def test_segwit_is_no_address_of_a_chain_without_it() -> None:
    assert fault(f"wpkh({KEY}/<0;1>/*)", "dogecoin") is AddressFault.MALFORMED
    assert canonical_text(f"pkh({KEY}/<0;1>/*)", NETWORKS["dogecoin"]).startswith("pkh(")


def test_the_checksum_is_that_of_the_kept_text() -> None:
    body, _, given = canonical_text(f"pkh({KEY}/0'/*)".replace("0'/", ""), BITCOIN).partition("#")

    assert checksum(body) == given
