-- The vTeam kiosk for Luanti (Minetest 5.6 and later). It acts when it is touched, for whoever touched it, only then.
-- SPDX-License-Identifier: AGPL-3.0-or-later

-- Only the main part of init.lua may ask for this, and no other mod may ever get hold of it.
local http = minetest.request_http_api and minetest.request_http_api()

local folder = minetest.get_modpath(minetest.get_current_modname())
local function load(name, ...)
	return assert(loadfile(folder .. "/" .. name .. ".lua"))(...)
end

local text = load("text")
local words_for = load("words")
local sha256 = load("sha256")
local request = load("request", sha256.sum)
local page = load("page", text, minetest.parse_json)
local form = load("form", text)
local settings, complaints = load("settings")(function(name)
	return minetest.settings:get(name)
end)
local store = load("store")
local nonces = request.nonces(store.starts(), os.time(), math.random(0, 65535))

if not minetest.request_http_api then
	minetest.log("error", "[vteam] This server was built without cURL: the kiosks cannot reach the vTeam.")
elseif not http then
	local others = minetest.settings:get("secure.http_mods") or ""
	minetest.log("error", "[vteam] The server does not let this mod use the network. Put this line into minetest.conf"
		.. " and restart: secure.http_mods = " .. (others ~= "" and others .. ", " or "") .. "vteam")
end
for _, complaint in ipairs(complaints) do
	minetest.log("error", "[vteam] " .. complaint .. ".")
end

local door = load("door", http, settings, request, page, nonces)
local flyers = load("flyers", text, form, words_for)
local visits = load("visits", door, store, text, page, form, words_for, flyers)
load("nodes", door, store, visits, nonces)
load("heartbeat", door, store, page, settings.heartbeat_s)
load("commands")
