-- For whoever runs the server: places a kiosk and, beside it, a listening room, also where nobody is.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local S = minetest.get_translator("vteam")
local FARTHEST = 30000

local function place(pos, node, name)
	local there = minetest.registered_nodes[minetest.get_node(pos).name]
	if not (there and there.buildable_to) then
		return false
	end
	minetest.set_node(pos, node)
	minetest.registered_nodes[node.name].after_place_node(pos, minetest.get_player_by_name(name))
	return true
end

minetest.register_chatcommand("vteam_kiosk", {
	params = S("<x> <y> <z>"),
	description = S("Places a vTeam kiosk of yours, and a listening room two nodes beside it"),
	privs = {server = true},
	func = function(name, given)
		local x, y, z = given:match("^%s*(-?%d+)[%s,]+(-?%d+)[%s,]+(-?%d+)%s*$")
		local pos = x and {x = tonumber(x), y = tonumber(y), z = tonumber(z)}
		if not pos or math.max(math.abs(pos.x), math.abs(pos.y), math.abs(pos.z)) > FARTHEST then
			return false, S("Say where: three whole numbers.")
		end
		local room = {x = pos.x + 2, y = pos.y, z = pos.z}
		-- Where a part of the world is not loaded, nothing can be placed.
		minetest.emerge_area(pos, room, function(_, _, remaining)
			if remaining > 0 or not minetest.get_player_by_name(name) then
				return
			end
			local stands = place(pos, {name = "vteam:kiosk", param2 = 0}, name)
			local lies = place(room, {name = "vteam:room"}, name)
			minetest.log("action", ("[vteam] %s placed a kiosk at %s: %s, and its room: %s")
				:format(name, minetest.pos_to_string(pos), tostring(stands), tostring(lies)))
		end)
		return true, S("The kiosk will stand there in a moment, unless something stands there already.")
	end,
})
