-- The settings from minetest.conf, checked. Pure: `get` gives a setting's text, or nil.
-- SPDX-License-Identifier: AGPL-3.0-or-later

-- A whole number from `least` to `most`; `default`, and a complaint, where it is something else.
local function whole(get, name, default, least, most, complaints)
	local given = get(name)
	if given == nil or given == "" then
		return default
	end
	local number = given:match("^%d+$") and tonumber(given)
	if number and number >= least and number <= most then
		return number
	end
	complaints[#complaints + 1] = ("%s must be a whole number from %d to %d, not %q: %d is used instead")
		:format(name, least, most, given, default)
	return default
end

-- {address (without a slash at the end, or nil), timeout_s, heartbeat_s}, and what is wrong with them, in sentences.
return function(get)
	local complaints = {}
	local address = (get("vteam_address") or ""):gsub("/$", "")
	local host = address:match("^https?://([%w%-.:%[%]]+)$")
	if address == "" then
		complaints[#complaints + 1] = "vteam_address is not set. Put the address of your vTeam into minetest.conf, as in:"
			.. " vteam_address = https://vteam.example"
	elseif not host then
		complaints[#complaints + 1] = ("vteam_address must look like https://vteam.example, with no path, not %q")
			:format(address)
	elseif address:match("^http:") and not (host:match("^127%.") or host:match("^localhost") or host:match("^%[::1%]")) then
		complaints[#complaints + 1] = "vteam_address begins with http: what players do there travels readable by"
			.. " anybody on the way. Use https."
	end
	return {
		address = host and address or nil,
		timeout_s = whole(get, "vteam_timeout", 6, 1, 30, complaints),
		heartbeat_s = whole(get, "vteam_heartbeat", 300, 2, 300, complaints),
	}, complaints
end
