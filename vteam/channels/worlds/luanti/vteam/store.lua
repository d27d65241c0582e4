-- Which kiosks are set up, and where listening rooms lie. Keys and secrets are in the mod's storage only: a node's
-- metadata goes to every client nearby.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local storage = minetest.get_mod_storage()
-- LINE: above a kiosk to which the platform has told none.
local store = {kiosks = {}, rooms = {}, LINE = "touch me: vTeam"}

local function key_of(pos)
	return ("%d,%d,%d"):format(pos.x, pos.y, pos.z)
end

for name, value in pairs(storage:to_table().fields) do
	local kind, x, y, z = name:match("^(%l+):(-?%d+),(-?%d+),(-?%d+)$")
	local pos = kind and {x = tonumber(x), y = tonumber(y), z = tonumber(z)}
	local kept = kind and minetest.parse_json(value)
	if type(kept) == "table" then
		kept.pos = pos
		if kind == "kiosk" then
			store.kiosks[key_of(pos)] = kept
		elseif kind == "room" then
			store.rooms[key_of(pos)] = kept
		end
	end
end

-- How often this world has started with the mod, this time included.
function store.starts()
	local starts = storage:get_int("starts") + 1
	storage:set_int("starts", starts)
	return starts
end

local function keep(kind, kiosk)
	local kept = {}
	for name, value in pairs(kiosk) do
		if type(value) == "string" then
			kept[name] = value
		end
	end
	storage:set_string(kind .. ":" .. key_of(kiosk.pos), minetest.write_json(kept))
end

-- The kiosk that was set up there, or nil. Its node carries the same mark: another node put there by other means
-- than digging and placing is not it.
function store.kiosk(pos)
	local kiosk = store.kiosks[key_of(pos)]
	if kiosk and minetest.get_meta(pos):get_string("mark") == kiosk.mark then
		return kiosk
	end
end

-- kiosk: {pos, owner, key, secret, mark, line, neutral}; neutral: the line that announces nothing, or nil.
function store.enrol(kiosk)
	store.kiosks[key_of(kiosk.pos)] = kiosk
	keep("kiosk", kiosk)
	minetest.get_meta(kiosk.pos):set_string("mark", kiosk.mark)
end

function store.forget(pos)
	store.kiosks[key_of(pos)] = nil
	storage:set_string("kiosk:" .. key_of(pos), "")
end

-- Shows the line where the node is loaded; where it is not, it is kept until then. False where the kiosk is gone.
function store.show_line(kiosk, line)
	if store.kiosks[key_of(kiosk.pos)] ~= kiosk then
		return false
	end
	if line and line ~= kiosk.line then
		kiosk.line = line
		keep("kiosk", kiosk)
	end
	local node = minetest.get_node_or_nil(kiosk.pos)
	if not node then
		return true
	end
	local meta = minetest.get_meta(kiosk.pos)
	if node.name ~= "vteam:kiosk" or meta:get_string("mark") ~= kiosk.mark then
		store.forget(kiosk.pos)
		return false
	end
	if meta:get_string("infotext") ~= kiosk.line then
		meta:set_string("infotext", kiosk.line)
	end
	return true
end

function store.add_room(pos, owner)
	store.rooms[key_of(pos)] = {pos = pos, owner = owner}
	keep("room", store.rooms[key_of(pos)])
end

function store.remove_room(pos)
	store.rooms[key_of(pos)] = nil
	storage:set_string("room:" .. key_of(pos), "")
end

local function nearest(found, pos, owner)
	local best, least
	for _, each in pairs(found) do
		local distance = each.owner == owner and vector.distance(each.pos, pos)
		if distance and (not least or distance < least) then
			best, least = each, distance
		end
	end
	return best
end

function store.kiosk_of_room(pos, owner)
	return nearest(store.kiosks, pos, owner)
end

function store.room_of_kiosk(kiosk)
	local room = nearest(store.rooms, kiosk.pos, kiosk.owner)
	return room and store.kiosk_of_room(room.pos, room.owner) == kiosk and room or nil
end

return store
