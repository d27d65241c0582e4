-- SPDX-License-Identifier: AGPL-3.0-or-later

minetest.register_node("ground:grass", {
	description = "Ground",
	tiles = {"ground_grass.png"},
	groups = {oddly_breakable_by_hand = 3, wood = 1, stick = 1},
})
minetest.register_alias("mapgen_stone", "ground:grass")
minetest.register_alias("mapgen_water_source", "air")
minetest.register_alias("mapgen_river_water_source", "air")

minetest.register_item(":", {
	type = "none",
	wield_image = "wieldhand.png",
	tool_capabilities = {
		full_punch_interval = 0.5,
		groupcaps = {oddly_breakable_by_hand = {times = {0.1, 0.1, 0.1}, uses = 0}},
	},
})

-- Everybody starts at the same place, looking north at where the tests put a kiosk, with things to place.
minetest.register_on_joinplayer(function(player)
	player:set_pos({x = 0, y = 0.5, z = -2.2})
	player:set_look_horizontal(0)
	player:set_look_vertical(0.1)
	local inventory = player:get_inventory()
	inventory:set_list("main", {"vteam:kiosk 2", "vteam:room 2"})
	player:set_physics_override({gravity = 0})
	minetest.set_timeofday(0.5)
end)

minetest.register_on_generated(function(least, most)
	if least.y <= 0 and most.y >= 0 then
		local voxels, low, high = minetest.get_mapgen_object("voxelmanip")
		local area = VoxelArea:new({MinEdge = low, MaxEdge = high})
		local data, grass = voxels:get_data(), minetest.get_content_id("ground:grass")
		for z = least.z, most.z do
			for x = least.x, most.x do
				data[area:index(x, 0, z)] = grass
			end
		end
		voxels:set_data(data)
		voxels:calc_lighting()
		voxels:write_to_map()
	end
end)

-- Carries whoever says it far away, as another mod might.
minetest.register_chatcommand("away", {
	func = function(name)
		minetest.get_player_by_name(name):set_pos({x = 60, y = 0.5, z = 0})
	end,
})

-- Takes the kiosk's node away without telling it, as world editors do.
minetest.register_chatcommand("bulldoze", {
	func = function()
		local voxels = minetest.get_voxel_manip()
		local low, high = voxels:read_from_map({x = 0, y = 1, z = 0}, {x = 0, y = 1, z = 0})
		local data = voxels:get_data()
		data[VoxelArea:new({MinEdge = low, MaxEdge = high}):index(0, 1, 0)] = minetest.CONTENT_AIR
		voxels:set_data(data)
		voxels:write_to_map()
		return true, "bulldozed"
	end,
})
