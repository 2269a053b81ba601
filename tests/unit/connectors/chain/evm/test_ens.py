import pytest

from coffers.connectors.chain.evm.ens import is_name, namehash, normalised
from coffers.connectors.chain.refusals import AddressFault, AddressRefused


@pytest.mark.parametrize(
    ("name", "node"),
    [
        # The examples of ERC-137.
        ("eth", "93cdeb708b7545dc668eb9280176169d1c33cfd8ed6f04690a0bcc88a93fc4ae"),
        ("foo.eth", "de9b09fd7c5f901e23a3f19fecc54828e9c848539801e86591bd9801b019f84f"),
    ],
)
def test_names_have_their_published_hashes(name: str, node: str) -> None:
    assert namehash(name).hex() == node


def test_a_name_has_one_spelling() -> None:
    assert normalised("Foo-1.Sub.ETH") == "foo-1.sub.eth"


@pytest.mark.parametrize(
    "name", ["föö.eth", "a b.eth", "-a.eth", "a..eth", ".eth", "a.eth.", "\uff41.eth"]
)
def test_names_that_could_be_taken_for_others_are_refused(name: str) -> None:
    with pytest.raises(AddressRefused) as refusal:
        normalised(name)
    assert refusal.value.fault is AddressFault.UNKNOWN_NAME
    assert name not in str(refusal.value)


def test_an_address_is_no_name() -> None:
    assert is_name("coffers.eth")
    assert not is_name("0x52908400098527886E0F7030069857D2E4169EE7")
    assert not is_name("coffers")
    assert not is_name(".")
