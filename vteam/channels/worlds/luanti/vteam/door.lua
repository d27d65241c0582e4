-- The door: requests to the platform, and what it answers. Nothing else here knows of HTTP.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local http, settings, request, page, nonces = ...

local door = {}
local LOG_EVERY_S = 60
local logged = -LOG_EVERY_S

-- Why nothing can be asked at all (a name in words.lua), or nil.
function door.closed()
	return not http and "no_http" or not settings.address and "no_address" or nil
end

-- One line a minute at most: a platform that is away must not fill the disk. No address, code or secret is in it.
local function log_fault(path, result)
	local now = os.time()
	if math.abs(now - logged) >= LOG_EVERY_S then
		logged = now
		local why = result.timeout and "did not answer in time" or result.code == 0 and "cannot be reached"
			or ("answered %d with something that is no page"):format(result.code)
		minetest.log("warning", ("[vteam] The vTeam %s (%s)."):format(why, path))
	end
end

-- Calls `done(answer, status)` once: answer, an object from the platform, or nil where it could not be asked; status,
-- of HTTP.
local function send(path, body, headers, done)
	headers[#headers + 1] = "Content-Type: application/json"
	http.fetch({
		url = settings.address .. path,
		method = "POST",
		data = body,
		timeout = settings.timeout_s,
		extra_headers = headers,
	}, function(result)
		local answer = result.code >= 200 and result.code < 500 and page.object(result.data) or nil
		if not answer then
			log_fault(path, result)
		end
		done(answer, result.code)
	end)
end

-- A code becomes a key and a secret.
function door.enrol(code, done)
	send("/world/v1/enrol", request.body({{"code", code}}), {}, done)
end

-- A signed request of an enrolled kiosk. `what`: touch, action, presence or heartbeat; `told`: pairs of texts.
function door.ask(kiosk, what, told, done)
	local path, body = "/world/v1/" .. what, request.body(told)
	send(path, body, request.headers(kiosk.key, kiosk.secret, os.time(), nonces(), path, body), done)
end

return door
