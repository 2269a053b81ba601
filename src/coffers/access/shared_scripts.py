"""The steps of the shared tally, as the server runs them: the same arithmetic as in memory.

All spans and times are in milliseconds. Every key expires a minute after what it holds is void.
"""

from typing import Final

from coffers.valkey.server import Script

BANNED: Final = 1
REPLAY: Final = 2
LIMIT: Final = 3
FULL: Final = 4

_BAN: Final = """
local SPARE = 60000
local now = tonumber(ARGV[1])
local ban = redis.call('HMGET', KEYS[1], 'until', 'length')
local ends, length = tonumber(ban[1] or 0), tonumber(ban[2] or 0)
-- Of a clock that was ahead: it would bar for as long as that was.
if ends - now > length + SPARE then ends = 0 end
"""

_WINDOW: Final = """
local function window(key, span)
  local kept = redis.call('HMGET', key, 'ends', 'used', 'locked')
  local closes = tonumber(kept[1] or 0)
  if now >= closes then
    redis.call('HSET', key, 'ends', now + span, 'used', 0, 'locked', 0)
    redis.call('PEXPIRE', key, span + SPARE)
    return now + span, 0, false
  end
  return closes, tonumber(kept[2]), kept[3] == '1'
end
"""

LOOK: Final = Script(
    _BAN
    + """
return {math.max(ends - now, 0), length}
"""
)
"""Keys: ban. Arguments: now. Returns what is left of the ban, and its whole length."""

REFUSED: Final = Script(
    _BAN
    + _WINDOW
    + """
if ends > now then return {0, ends - now, length} end
local _, used = window(KEYS[2], tonumber(ARGV[2]))
if used + 1 < tonumber(ARGV[3]) then
  redis.call('HINCRBY', KEYS[2], 'used', 1)
  return {0, 0, 0}
end
redis.call('DEL', KEYS[2])
local first, longest = tonumber(ARGV[4]), tonumber(ARGV[5])
local wanted = 2 * length
if length == 0 or now >= ends + longest then wanted = first end
local span = math.min(wanted, longest)
redis.call('HSET', KEYS[1], 'until', now + span, 'length', span)
redis.call('PEXPIRE', KEYS[1], span + longest + SPARE)
return {1, span, span}
"""
)
"""Keys: ban, refusals. Arguments: now, window, refusals to a ban, first ban, longest ban.

Returns whether this refusal brought a ban, what is left of the ban, and its whole length.
"""

TAKE: Final = Script(
    _BAN
    + _WINDOW
    + f"""
if ends > now then return {{{BANNED}, ends - now, length}} end
local signature, kept = ARGV[5], tonumber(ARGV[7])
if signature ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  if redis.call('ZSCORE', KEYS[3], signature) then return {{{REPLAY}, 0, 0}} end
end
local requests = tonumber(ARGV[2])
if requests > 0 then
  local closes, used, locked = window(KEYS[2], tonumber(ARGV[3]))
  if used >= requests then
    if not locked then
      local lockout = tonumber(ARGV[4])
      closes = now + lockout
      redis.call('HSET', KEYS[2], 'ends', closes, 'locked', 1)
      redis.call('PEXPIRE', KEYS[2], lockout + SPARE)
    end
    return {{{LIMIT}, closes - now, 0}}
  end
  redis.call('HINCRBY', KEYS[2], 'used', 1)
end
if signature ~= '' then
  if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[6]) then
    local oldest = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
    return {{{FULL}, tonumber(oldest[2]) - now, 0}}
  end
  redis.call('ZADD', KEYS[3], now + kept, signature)
  redis.call('PEXPIRE', KEYS[3], kept + SPARE)
end
return {{0, 0, 0}}
"""
)
"""Keys: ban, window, signatures. Arguments: now, requests (0: unlimited), window, lockout,
signature ('' for none), signatures kept, how long.

Returns what bars the call (0: nothing), for how long, and the length of the ban if it is one.
"""
