"""Keys and descriptors derive the addresses that the standards publish."""

import pytest

from coffers.connectors.chain.bitcoin.addresses import address_of
from coffers.connectors.chain.bitcoin.keys import key_of, payload_of
from coffers.connectors.chain.bitcoin.networks import NETWORKS
from coffers.connectors.chain.bitcoin.wallet import canonical_text, wallet_of

BITCOIN = NETWORKS["bitcoin"]

# BIP-32, test vectors 1 and 2: a public parent, the child's number, the public child.
BIP32 = [
    (
        (
            "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bg"
            "wQ9xv5ski8PX9rL2dZXvgGDnw"
        ),
        1,
        (
            "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527"
            "Hqck2AxYysAA7xmALppuCkwQ"
        ),
    ),
    (
        (
            "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8"
            "BDzTJY47LJhkJ8UB7WEGuduB"
        ),
        0,
        (
            "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezp"
            "bZb7ap6r1D3tgFxHmwMkQTPH"
        ),
    ),
]

# The mnemonic of the standards ("abandon" eleven times, "about"), its accounts 0.
BIP44 = (
    "xpub6BosfCnifzxcFwrSzQiqu2DBVTshkCXacvNsWGYJVVhhawA7d4R5WSWGFNbi8Aw6ZRc1brxMyWMzG3DSSSSoek"
    "kudhUd9yLb6qx39T9nMdj"
)
BIP49 = (
    "ypub6Ww3ibxVfGzLrAH1PNcjyAWenMTbbAosGNB6VvmSEgytSER9azLDWCxoJwW7Ke7icmizBMXrzBx9979FfaHxHcr"
    "Arf3zbeJJJUZPf663zsP"
)
BIP84 = (
    "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31"
    "mGDtKsAYz2oz2AGutZYs"
)
BIP86 = (
    "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49"
    "yfdDEHGCtMMj92pReUsQ"
)


def address(text: str, branch: str, place: int) -> str | None:
    branches = {one.id: one for one in wallet_of(canonical_text(text, BITCOIN), BITCOIN).branches}
    return address_of(branches[branch].script(place), BITCOIN)


@pytest.mark.parametrize(("parent", "number", "child"), BIP32)
def test_public_children_are_those_of_bip_32(parent: str, number: int, child: str) -> None:
    derived = key_of(payload_of(parent, BITCOIN), BITCOIN).child(number)

    assert derived.to_base58() == child


@pytest.mark.parametrize(
    ("key", "branch", "place", "expected"),
    [
        (BIP44, "p2pkh/0", 0, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"),
        (BIP44, "p2pkh/0", 1, "1Ak8PffB2meyfYnbXZR9EGfLfFZVpzJvQP"),
        (BIP49, "p2sh-p2wpkh/0", 0, "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf"),
        (BIP84, "p2wpkh/0", 0, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
        (BIP84, "p2wpkh/0", 1, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
        (BIP84, "p2wpkh/1", 0, "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
        (BIP86, "p2tr/0", 0, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
        (BIP86, "p2tr/0", 1, "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"),
        (BIP86, "p2tr/1", 0, "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"),
    ],
)
def test_accounts_have_the_addresses_of_bip_44_49_84_and_86(
    key: str, branch: str, place: int, expected: str
) -> None:
    assert address(key, branch, place) == expected


def test_descriptors_derive_what_keys_derive() -> None:
    by_prefix = {
        f"pkh({BIP44}/<0;1>/*)": (BIP44, "p2pkh"),
        f"sh(wpkh({BIP49}/<0;1>/*))": (BIP49, "p2sh-p2wpkh"),
        f"wpkh([73c5da0a/84'/0'/0']{BIP84}/<0;1>/*)": (BIP84, "p2wpkh"),
        f"tr({BIP86}/<0;1>/*)": (BIP86, "p2tr"),
    }
    for text, (key, kind) in by_prefix.items():
        for branch in (0, 1):
            assert address(text, f"0/{branch}", 5) == address(key, f"{kind}/{branch}", 5)


def test_a_taproot_key_of_bip_341_is_tweaked() -> None:
    key = "d6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d"

    assert address(f"tr({key})", "0/0", 0) == (
        "bc1p2wsldez5mud2yam29q22wgfh9439spgduvct83k3pm50fcxa5dps59h4z5"
    )


def test_a_taproot_tree_of_bip_386_is_derived() -> None:
    text = (
        "tr(a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd,"
        "pk(669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0))"
    )
    script = wallet_of(canonical_text(text, BITCOIN), BITCOIN).branches[0].script(0)

    assert script.hex() == "512017cf18db381d836d8923b1bdb246cfcd818da1a9f0e6e7907f187f0b2f937754"
