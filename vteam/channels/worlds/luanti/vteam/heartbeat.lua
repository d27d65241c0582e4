-- Heartbeats: every kiosk tells the platform that it is there, also where no player has its part of the world loaded,
-- and learns the line to show. They are spread over the whole time between two, so that many never come at once.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local door, store, page, every_s = ...

local TICK_S = 1
local now, due = 0, {}
for key in pairs(store.kiosks) do
	due[key] = math.random(0, every_s - TICK_S)
end

local function beat(kiosk)
	local room = store.room_of_kiosk(kiosk)
	local told = room and {{"room", ("(%d, %d, %d)"):format(room.pos.x, room.pos.y, room.pos.z)}} or {}
	door.ask(kiosk, "heartbeat", told, function(answer, status)
		if answer and status == 200 then
			store.show_line(kiosk, page.line(answer))
		elseif status == 403 then
			-- Closed, or another object stands for it now: what was announced here is so no longer.
			store.show_line(kiosk, kiosk.neutral or store.LINE)
		end
	end)
end

local function tick()
	now = now + TICK_S
	local count, ready, known = 0, {}, {}
	for key, kiosk in pairs(store.kiosks) do
		count = count + 1
		-- One that was set up since speaks at once.
		known[key] = due[key] or now
		if known[key] <= now then
			ready[#ready + 1] = key
		end
	end
	-- What is gone is forgotten here too.
	due = known
	for i = 1, math.min(#ready, math.ceil(count * TICK_S / every_s)) do
		local key = ready[i]
		due[key] = now + every_s
		-- Asks nothing of a kiosk whose node is seen to be gone.
		if store.show_line(store.kiosks[key]) then
			beat(store.kiosks[key])
		end
	end
	minetest.after(TICK_S, tick)
end

if not door.closed() then
	minetest.after(TICK_S, tick)
end
