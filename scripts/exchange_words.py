"""The text around the tables of docs/exchanges.md."""

HEAD = """\
# Exchanges

What a reading of each exchange holds, what it leaves out, and what stands behind it. What could not
be read is [marked](api.md#how-far-to-trust-a-list) at the account; what is never read is listed
here. The fields that connect an account are in [markets](markets.md). This page is written by
`scripts/make_exchange_docs.py` from the rules, the tests' data and the exchange library (ccxt
{ccxt}): {markets} markets of {venues} exchanges, of which {readable} can be read.

*Read* are the parts of a reading, as an account names them; parts in italics list open positions,
which are [shown](api.md#open-contracts) and not valued. *Deposits* says whether past deposits and
withdrawals can be asked for: whole ones make the profit right, else the account is marked `flows
unknown`. What moves between a wallet that is read and one that is not is in no such history: it
[counts as profit or loss](figures.md#deposits-and-withdrawals). *Key* says whether the exchange
tells what a key may do ([which rights](security.md#what-exchanges-tell-of-a-key)). *Sub-accounts*
says whether the main account's key lists them ([and reads them](markets.md#sub-accounts)).

*Tested* is what the answers are that tests replay through the real client over HTTP, for balances
(B), open positions (O), deposits and withdrawals (D) and prices (P):

- **recorded values**: answers recorded from the exchange, with values that others worked out;
- **example answers**: those that the exchange's documents or the library's source show, read digit
  for digit; where they are those of a relative, it is named;
- **interface only**: no answer is at hand. The library's class reads it, and tests prove that junk
  and outages are no balance; the amounts are as right as the library.

The letters that are not listed are interface only.

## All exchanges

| Market | Read | Not read | Deposits | Key | Sub-accounts | Tested |
|---|---|---|---|---|---|---|
"""

DEPOSITS = """
## How far deposits and withdrawals reach

A first reading takes those from its moment on; older ones are fetched afterwards, a few calls at a
time, as far back as the exchange tells. *Span* is the longest time that one call covers, *rows* the
most that it returns, *pages* how the rest of a fuller answer is asked for: by halving the span
where there is no other way. Of currencies under *Untold* deposits are in no history, so that
holding one leaves the flows unknown from then on.

| Exchange | Since | Span | Rows | Pages | Untold |
|---|---|---|---|---|---|
"""

UNREAD = """
## What is not read

In the words that the reading gives, for exchanges without a section above. Where an exchange is not
named, no more is known than this: {general}
"""
