-- What stands in the world: the kiosk, and the record on the floor that marks a listening room.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local door, store, visits, mark = ...

local S = minetest.get_translator("vteam")
local GROUPS = {cracky = 2, choppy = 2, oddly_breakable_by_hand = 2, handy = 1, axey = 1, pickaxey = 1}

-- The name of a real, present player; machines of other mods dig and place with players that are none.
local function present(player)
	local name = player and player:is_player() and player:get_player_name() or ""
	return name ~= "" and minetest.get_player_by_name(name) and name or nil
end

local function may_manage(pos, name)
	local owner = minetest.get_meta(pos):get_string("owner")
	return name == owner and owner ~= "" or minetest.check_player_privs(name, "protection_bypass")
end

local function can_dig(pos, player)
	return player ~= nil and may_manage(pos, player:get_player_name())
end

local function placed(pos, player)
	local meta = minetest.get_meta(pos)
	meta:set_string("owner", player and player:get_player_name() or "")
	meta:set_string("infotext", store.LINE)
end

-- Whether a player may set up the kiosk they are at; not from its room.
function visits.may_set_up(visit)
	local node = minetest.get_node_or_nil(visit.pos)
	return node ~= nil and node.name == "vteam:kiosk" and may_manage(visit.pos, visit.name)
end

-- Keeps what a code gave ({key, secret, line, neutral}), unless the kiosk was dug meanwhile. Whether it was kept.
function visits.enrolled(pos, name, given)
	if not visits.may_set_up({pos = pos, name = name}) then
		return false
	end
	local owner = minetest.get_meta(pos):get_string("owner")
	local kiosk = {
		pos = pos, owner = owner, mark = mark(), key = given.key, secret = given.secret,
		line = given.line or store.LINE, neutral = given.neutral,
	}
	store.enrol(kiosk)
	store.show_line(kiosk, kiosk.line)
	return true
end

local function touch_kiosk(pos, _, player, stack)
	local name = present(player)
	if not name then
		return stack
	end
	local words, kiosk, closed = visits.words_of(name), store.kiosk(pos), door.closed()
	if closed then
		visits.tell(name, pos, words[closed])
	elseif kiosk then
		visits.touch(name, pos, kiosk)
	elseif may_manage(pos, name) then
		visits.ask_code(name, pos)
	else
		local owner = minetest.get_meta(pos):get_string("owner")
		local message = owner == "" and words.nobodys or words.not_yet:gsub("@1", (owner:gsub("%%", "%%%%")))
		visits.tell(name, pos, message)
	end
	return stack
end

local function touch_room(pos, _, player, stack)
	local name = present(player)
	if not name then
		return stack
	end
	local owner = minetest.get_meta(pos):get_string("owner")
	local words, closed, kiosk = visits.words_of(name), door.closed(), store.kiosk_of_room(pos, owner)
	if closed then
		visits.tell(name, pos, words[closed])
	elseif kiosk then
		visits.touch(name, pos, kiosk, "room")
	else
		visits.tell(name, pos, (words.no_kiosk:gsub("@1", (owner:gsub("%%", "%%%%")))))
	end
	return stack
end

-- The board is narrower than its node and almost two nodes high.
local BOARD = {type = "fixed", fixed = {-0.5, -0.5, -0.12, 0.5, 1.35, 0.12}}

minetest.register_node("vteam:kiosk", {
	description = S("vTeam kiosk"),
	drawtype = "mesh",
	mesh = "vteam_kiosk.obj",
	tiles = {"vteam_kiosk.png"},
	inventory_image = "vteam_kiosk_item.png",
	wield_image = "vteam_kiosk_item.png",
	paramtype = "light",
	paramtype2 = "facedir",
	sunlight_propagates = true,
	light_source = 4,
	selection_box = BOARD,
	collision_box = BOARD,
	groups = GROUPS,
	is_ground_content = false,
	after_place_node = placed,
	on_rightclick = touch_kiosk,
	can_dig = can_dig,
	on_blast = function() end,
	on_destruct = function(pos)
		store.forget(pos)
	end,
})

minetest.register_node("vteam:room", {
	description = S("vTeam listening room"),
	drawtype = "nodebox",
	node_box = {type = "fixed", fixed = {-0.5, -0.5, -0.5, 0.5, -0.44, 0.5}},
	tiles = {"vteam_room.png", "vteam_room.png", "vteam_room_side.png"},
	inventory_image = "vteam_room.png",
	wield_image = "vteam_room.png",
	paramtype = "light",
	sunlight_propagates = true,
	groups = GROUPS,
	is_ground_content = false,
	after_place_node = function(pos, player)
		placed(pos, player)
		minetest.get_meta(pos):set_string("infotext", S("touch me: listening room"))
		store.add_room(pos, player and player:get_player_name() or "")
	end,
	on_rightclick = touch_room,
	can_dig = can_dig,
	on_blast = function() end,
	on_destruct = function(pos)
		store.remove_room(pos)
	end,
})

minetest.register_craft({
	output = "vteam:kiosk",
	recipe = {{"group:wood", "group:wood"}, {"group:wood", "group:wood"}, {"group:stick", "group:stick"}},
})
minetest.register_craft({
	output = "vteam:room",
	recipe = {{"group:stick", "group:stick"}, {"group:wood", "group:wood"}, {"group:stick", "group:stick"}},
})

-- A line that changed while nobody was near.
minetest.register_lbm({
	name = "vteam:line",
	label = "Show the kiosk's line",
	nodenames = {"vteam:kiosk"},
	run_at_every_load = true,
	action = function(pos)
		local kiosk = store.kiosk(pos)
		if kiosk then
			store.show_line(kiosk)
		end
	end,
})
