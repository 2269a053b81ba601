"""What could spend is refused, in every shape that people paste; no address ever is."""

import base64
import string

import pytest
from embit import base58, bech32, bip32, bip39
from embit.networks import NETWORKS
from embit.wordlists.bip39 import WORDLIST
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.chain.secrets import refuse_secrets

PHRASE = "abandon " * 11 + "about"
LONG_PHRASE = "zoo " * 23 + "vote"
HEX_KEY = "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"
ROOT = bip32.HDKey.from_seed(bytes(range(64)))
WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"

SECRETS = {
    "a seed phrase": PHRASE,
    "of 24 words": LONG_PHRASE,
    "of 15 words": "legal winner thank year wave sausage worth useful legal winner thank year wave "
    "sausage wise",
    "with a wrong checksum": "abandon " * 12,
    "in capitals": PHRASE.upper(),
    "numbered": " ".join(f"{place}. {word}" for place, word in enumerate(PHRASE.split(), 1)),
    "numbered without blanks": "\n".join(
        f"{place}.{word}" for place, word in enumerate(PHRASE.split(), 1)
    ),
    "numbered in brackets": " ".join(
        f"({place}) {word}" for place, word in enumerate(PHRASE.split())
    ),
    "with commas": PHRASE.replace(" ", ", "),
    "with commas alone": PHRASE.replace(" ", ","),
    "with lines": PHRASE.replace(" ", "\n"),
    "with hyphens": PHRASE.replace(" ", "-"),
    "as a list": '["' + PHRASE.replace(" ", '", "') + '"]',
    "with no blanks": PHRASE.replace(" ", ""),
    "with a misspelt word": PHRASE.replace("about", "abuot"),
    "of words cut short": " ".join(word[:4] for word in LONG_PHRASE.split()),
    "without its last word": " ".join(PHRASE.split()[:11]),
    "half of it": "legal winner thank year wave sausage",
    "with invisible marks": PHRASE.replace(" ", " \u200b"),
    "in Spanish": "ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco abierto",
    "in Japanese": "\u3000".join(["あいこくしん"] * 11 + ["あおぞら"]),
    "in Chinese": "的 的 的 的 的 的 的 的 的 的 的 在",
    "in Chinese without blanks": "的" * 11 + "在",
    "in Korean": " ".join(["가격"] * 11 + ["가능"]),
    "in Czech": "abdikace " * 11 + "agrese",
    "of 33 words of shares": "academic acid acrobat " * 11,
    "a hex key": HEX_KEY,
    "with 0x": f"0x{HEX_KEY}",
    "in capital hex": f"0X{HEX_KEY.upper()}",
    "hex with a digit lost": HEX_KEY[:-1],
    "hex over two lines": f"{HEX_KEY[:32]}\n{HEX_KEY[32:]}",
    "with a label": f"private key: {HEX_KEY}",
    "64 bytes of hex": HEX_KEY * 2,
    "a WIF key": WIF,
    "a WIF key with a wrong checksum": WIF[:-1] + "K",
    "an Electrum key": f"p2wpkh:{WIF}",
    "a BIP-38 key": "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
    "a mini key": "S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy",
    "a Cardano root key": bech32.bech32_encode(1, "root_xsk", [7] * 154),
    "a Cardano account key": bech32.bech32_encode(1, "acct_xsk", [9] * 154),
    "a Cardano address key": bech32.bech32_encode(1, "addr_sk", [3] * 52),
    "a Cardano bip32 key": bech32.bech32_encode(1, "xprv", [11] * 154),
    "a Nostr key": bech32.bech32_encode(1, "nsec", [5] * 52),
    "a Stellar key": "SBFGFF27Y64ZUGFAIG5AMJGQODZZKV2YQKAVUUN4HNE24XZXD2OEUVUP",
    "an XRP seed": "snoPBrXtMeMyMHUVTgbuqAfg1SUTb",
    "an XRP seed of the other curve": "sEdTM1uX8pu2do5XvTnutH6HsouMaM2",
    "XRP's secret numbers": "A 554872 B 394230 C 209376 D 323698 "
    "E 140250 F 387423 G 652803 H 258676",
    "a Solana key pair": base58.encode(bytes(range(1, 65))),
    "a Solana key pair as bytes": str(list(range(64))),
    "32 bytes without brackets": ",".join(map(str, range(200, 232))),
    "a key in base64": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "a PEM file": "-----BEGIN EC PRIVATE KEY-----\nMHQCAQEE\n-----END EC PRIVATE KEY-----",
    "a key store": '{"version":3,"crypto":{"ciphertext":"d172bf","cipher":"aes-128-ctr"}}',
    "a descriptor with a private key": f"wpkh({ROOT.to_base58()}/84h/0h/0h/0/*)",
    "a descriptor with a WIF key": f"pkh({WIF})",
    "a share of codex32": "ms10testsxxxxxxxxxxxxxxxxxxxxxxxxxx4nzvca9cmczlw",
    **{
        f"{kind} of {name}": ROOT.to_base58(version)
        for name, network in NETWORKS.items()
        for kind, version in network.items()
        if kind.endswith("prv")
    },
    "Ltpv": base58.encode_check(bytes.fromhex("019d9cfe") + ROOT.serialize()[4:]),
    "Mtpv": base58.encode_check(bytes.fromhex("01b26792") + ROOT.serialize()[4:]),
    "dgpv": base58.encode_check(bytes.fromhex("02fac398") + ROOT.serialize()[4:]),
}

ADDRESSES = {
    "p2pkh": "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "p2sh": "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    "p2wpkh": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "p2wsh": "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
    "p2tr": "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    "in capitals": "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "Litecoin": "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1",
    "Litecoin segwit": "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9",
    "Dogecoin": "DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD",
    "Bitcoin Cash": "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
    "Bitcoin Cash, bare": "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
    "testnet": "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
    "Ethereum": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "a name": "vitalik.eth",
    "a name of words": "my-cool-brand-new-wallet.eth",
    "Solana": "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV",
    "Solana's first": "11111111111111111111111111111111",
    "Tron": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
    "XRP": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
    "XRP with a tag": "X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ",
    "TON": "EQDtFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p4q2",
    "TON, raw": "0:83dfd552e63729b472fcbcc8c45ebcc6691702558b68ec7527e1ba403a0f31a8",
    "Cosmos": "cosmos1clpqr4nrk4khgkxj78fcwwh6dl3uw4epsluffn",
    "a validator": "cosmosvaloper1clpqr4nrk4khgkxj78fcwwh6dl3uw4ep4tgu9q",
    "Osmosis": "osmo1clpqr4nrk4khgkxj78fcwwh6dl3uw4epasmvnj",
    "Celestia": "celestia1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzf30as",
    "Cardano": "addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vllmyqwsx5wktcd8cc3sq"
    "835lu7drv2xwl2wywfgse35a3x",
    "Cardano's stake": "stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gh6ffgw",
    "Cardano, old": "Ae2tdPwUPEZFRbyhz3cpfC2CumGzNkFBN2L42rcUc2yjQpEkxDbkPodpMAi",
    "Cardano, older": "37btjrVyb4KEB2STADSsj3MYSAdj52X5FrFWpw2r7Wmj2GDzXjFRsHWuZqrw7zSkwopv8Ci"
    "3VWeg6bisU9dgJxW5hb2MZYeduNKbQJrqz3zVBsu9nT",
    "an extended key": ROOT.to_public().to_base58(),
    "a descriptor": "wsh(sortedmulti(2,[d34db33f/48h/0h/0h/2h]"
    f"{ROOT.to_public().to_base58()}/<0;1>/*,{ROOT.to_public().to_base58()}/<0;1>/*))#aaaaaaaa",
    "a Taproot descriptor": f"tr({HEX_KEY})",
    "a long descriptor": "wsh(thresh(2,pk(A),s:pk(B),s:pk(C),snl:after(1),and_v(v:pkh(D),older(6)),"
    "pkh(E),pkh(F),pkh(G),pkh(H),pkh(I),pkh(J)))",
}


def refused(text: str) -> str:
    with pytest.raises(AddressRefused) as caught:
        refuse_secrets(text)
    assert caught.value.fault is AddressFault.SECRET
    return str(caught.value)


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_is_refused_without_being_repeated(text: str) -> None:
    sentence = refused(text)

    assert "never needs one" in sentence
    assert "not stored and not logged" in sentence
    words = [word for word in text.split() if len(word) > len("private")]
    assert not any(word in sentence for word in words)


@pytest.mark.parametrize("text", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_no_address_is_taken_for_a_secret(text: str) -> None:
    refuse_secrets(text)


def test_each_kind_of_secret_has_its_own_sentence() -> None:
    assert "a seed phrase" in refused(PHRASE)
    assert "a private key, or the id of a transaction" in refused(HEX_KEY)
    assert "(WIF)" in refused(WIF)
    assert "a private extended key" in refused(ROOT.to_base58())
    assert "BIP-38" in refused(SECRETS["a BIP-38 key"])
    assert "Solana" in refused(SECRETS["a Solana key pair"])
    assert "XRP Ledger" in refused(SECRETS["an XRP seed"])
    assert "Stellar" in refused(SECRETS["a Stellar key"])


def test_a_blank_text_is_no_secret() -> None:
    refuse_secrets("")


@given(st.binary(min_size=32, max_size=32), st.sampled_from([b"\x80", b"\xef", b"\xb0", b"\x9e"]))
def test_every_wif_key_is_refused(key: bytes, version: bytes) -> None:
    refused(base58.encode_check(version + key))
    refused(base58.encode_check(version + key + b"\x01"))
    refused(key.hex())
    refused(f"0x{key.hex()}")


@given(
    st.sampled_from([16, 20, 24, 28, 32]).flatmap(
        lambda size: st.binary(min_size=size, max_size=size)
    )
)
def test_every_seed_phrase_is_refused(entropy: bytes) -> None:
    refused(bip39.mnemonic_from_bytes(entropy))


@given(
    st.lists(st.sampled_from(WORDLIST), min_size=12, max_size=24),
    st.integers(0, 11),
    st.text(string.ascii_lowercase, min_size=2, max_size=9),
)
def test_a_phrase_with_one_wrong_word_is_refused(words: list[str], place: int, wrong: str) -> None:
    refused(" ".join([*words[:place], wrong, *words[place + 1 :]]))


@given(st.binary(min_size=64, max_size=64))
def test_every_solana_key_pair_is_refused(pair: bytes) -> None:
    refused(base58.encode(b"\x01" + pair[1:]))
    refused(str(list(pair)))


@given(st.binary(min_size=20, max_size=20))
def test_no_address_of_twenty_bytes_is_refused(payload: bytes) -> None:
    for version in (0x00, 0x05, 0x30, 0x32, 0x1E, 0x16, 0x41, 0x6F, 0xC4):
        refuse_secrets(base58.encode_check(bytes([version]) + payload))
    refuse_secrets("0x" + payload.hex())
    for prefix in ("cosmos", "osmo", "celestia", "cosmosvaloper"):
        refuse_secrets(bech32.bech32_encode(1, prefix, bech32.convertbits(payload, 8, 5)))
    for prefix in ("bc", "tb", "ltc"):
        refuse_secrets(bech32.encode(prefix, 0, payload))


@given(st.binary(min_size=32, max_size=32))
def test_no_address_of_thirty_two_bytes_is_refused(payload: bytes) -> None:
    refuse_secrets(base58.encode(payload))
    refuse_secrets(f"0:{payload.hex()}")
    refuse_secrets(bech32.encode("bc", 0, payload))
    refuse_secrets(bech32.encode("bc", 1, payload))
    refuse_secrets(bech32.bech32_encode(1, "osmo", bech32.convertbits(payload, 8, 5)))
    refuse_secrets(
        bech32.bech32_encode(1, "addr", bech32.convertbits(payload + payload[:25], 8, 5))
    )


@given(st.binary(min_size=16, max_size=64))
def test_no_extended_public_key_is_refused(seed: bytes) -> None:
    root = bip32.HDKey.from_seed(seed)
    public = root.to_public()
    for network in NETWORKS.values():
        for kind in ("xpub", "ypub", "zpub", "Ypub", "Zpub"):
            refuse_secrets(public.to_base58(network[kind]))
    refuse_secrets(f"wsh(sortedmulti(1,{public.to_base58()}/<0;1>/*))#aaaaaaaa")


@given(st.binary(min_size=34, max_size=34))
def test_no_address_of_ton_is_refused(payload: bytes) -> None:
    body = b"\x51\x00" + payload[:32]
    refuse_secrets(base64.urlsafe_b64encode(body + payload[32:]).decode())


def test_an_address_of_ton_whose_part_looks_like_a_seed_is_an_address() -> None:
    refuse_secrets("UQDrjaLahLkMB-" + "s" + "a" * 28 + "-AAAA")


@pytest.mark.parametrize("count", [40, 100, 128, 201])
def test_indices_of_validators_are_no_bytes_of_a_key(count: int) -> None:
    refuse_secrets(", ".join(map(str, range(count))))
    refuse_secrets("\n".join(str(index % 256) for index in range(count, count + 201)))
