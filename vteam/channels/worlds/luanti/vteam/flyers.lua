-- Flyers: what a player takes from a kiosk and hands on. An address everybody may know, and no secret.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local text, form, words_for = ...

local S = minetest.get_translator("vteam")
local flyers = {}

-- Whether there was room for it. `open`: of a page.
function flyers.give(player, title, open)
	local stack = ItemStack("vteam:flyer")
	local meta = stack:get_meta()
	meta:set_string("title", title)
	meta:set_string("address", open.address)
	meta:set_string("note", open.note)
	meta:set_string("description", title .. "\n" .. open.address)
	local inventory = player:get_inventory()
	if not inventory:room_for_item("main", stack) then
		return false
	end
	inventory:add_item("main", stack)
	return true
end

-- Shows it to whoever uses it. What is in it may have been written by another mod.
local function read(stack, player)
	local name = player and player:is_player() and player:get_player_name() or ""
	local told = minetest.get_player_information(name)
	if told then
		local meta = stack:get_meta()
		local title = text.line(meta:get_string("title"), 120)
		local address = text.address(meta:get_string("address"))
		local note = text.line(meta:get_string("note"), 240)
		minetest.show_formspec(name, "vteam:flyer", form.flyer(title ~= "" and title or "vTeam", address, note,
			words_for(told.lang_code), told.formspec_version or 1))
	end
	return stack
end

-- In front of a node that does something itself (a chest, a kiosk), that comes first.
local function place(stack, player, pointed)
	local node = pointed.type == "node" and minetest.get_node(pointed.under)
	local def = node and minetest.registered_nodes[node.name]
	if def and def.on_rightclick and not player:get_player_control().sneak then
		return def.on_rightclick(pointed.under, node, player, stack, pointed) or stack
	end
	return read(stack, player)
end

minetest.register_craftitem("vteam:flyer", {
	description = S("Flyer"),
	inventory_image = "vteam_flyer.png",
	stack_max = 20,
	groups = {not_in_creative_inventory = 1},
	on_use = read,
	on_place = place,
	on_secondary_use = read,
})

return flyers
