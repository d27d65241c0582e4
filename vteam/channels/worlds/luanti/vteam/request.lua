-- A request to the platform: its body, its signature and its headers (docs/worlds.md, Signature). Pure.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local sum = ...

local request = {}

local function quoted(value)
	return '"' .. value:gsub('[%c"\\]', function(c)
		return ("\\u%04x"):format(c:byte())
	end) .. '"'
end

-- A JSON object of texts, in the order of the given pairs. Texts are valid UTF-8 and stay so: 400 characters fit
-- into the 4,096 bytes a body may have, which they would not as \u escapes.
function request.body(pairs_)
	local parts = {}
	for i, pair in ipairs(pairs_) do
		parts[i] = quoted(pair[1]) .. ":" .. quoted(pair[2])
	end
	return "{" .. table.concat(parts, ",") .. "}"
end

function request.signature(secret, message)
	return sum(secret .. ":" .. sum(secret .. ":" .. message))
end

-- The four headers. `time`: seconds since 1970, UTC; `body`: the bytes as they will be sent.
function request.headers(key, secret, time, nonce, path, body)
	local stamp = ("%d"):format(time)
	local message = table.concat({key, stamp, nonce, path, body}, "\n")
	return {
		"X-VTeam-Key: " .. key,
		"X-VTeam-Time: " .. stamp,
		"X-VTeam-Nonce: " .. nonce,
		"X-VTeam-Sig: " .. request.signature(secret, message),
	}
end

-- A function that never gives the same twice. `start`: how often this world has started, so that not even a clock
-- that was set back brings one again.
function request.nonces(start, time, random)
	local given = 0
	return function()
		given = given + 1
		return ("%d-%x-%04x-%d"):format(start, time, random, given)
	end
end

return request
