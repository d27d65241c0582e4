-- Visits: one player at one kiosk, from the touch until the form is closed. A form is shown to nobody but the player
-- who touched, and an answer that comes after they closed it is dropped.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local door, store, text, page, form, words_for, flyers = ...

local visits = {}
local MAX_DISTANCE = 32
local MAX_TYPED, MAX_CODE = 400, 40

-- By player's name: the visit whose form they have open, and the one whose answer is on its way.
local open, asked = {}, {}
local shown = 0

local function words_of(name)
	return words_for((minetest.get_player_information(name) or {}).lang_code)
end

local function version_of(name)
	return (minetest.get_player_information(name) or {}).formspec_version or 1
end

local function language_of(name)
	local code = (minetest.get_player_information(name) or {}).lang_code or ""
	return code:lower():gsub("_", "-"):match("^[%l-]*"):sub(1, 16)
end

-- Each form has a name of its own: fields of a form that was replaced meanwhile are not taken for the new one's.
local function show(visit, formspec)
	shown = shown + 1
	visit.form = "vteam:visit_" .. shown
	open[visit.name] = visit
	minetest.show_formspec(visit.name, visit.form, formspec)
end

local function show_notice(visit, title, message)
	visit.page, visit.enrolling = nil, nil
	show(visit, form.notice(title, message, words_of(visit.name)))
end

local function show_page(visit)
	show(visit, form.page(visit.page, words_of(visit.name), version_of(visit.name), visit.note, visit.typed, visit.why))
end

-- One player has one request on its way at most.
local function begin(visit)
	asked[visit.name] = visit
end

-- Reasons of the platform's. A clock that is wrong, or a kiosk that was closed, no code mends.
local MENDED_BY_A_CODE = {unknown = true, wrong = true, owner = true, shard = true}

-- The answer is here. Whether its player still waits for it.
local function ended(visit)
	if asked[visit.name] == visit then
		asked[visit.name] = nil
	end
	return open[visit.name] == visit and minetest.get_player_by_name(visit.name) ~= nil
end

-- `typed`: what the player typed, where they did; where it was not taken, they find it in the form again, under why.
local function ask(visit, what, told, typed)
	local all = {{"avatar", visit.name}, {"name", visit.name}, {"language", language_of(visit.name)}}
	for _, pair in ipairs(told) do
		all[#all + 1] = pair
	end
	begin(visit)
	door.ask(visit.kiosk, what, all, function(answer, status)
		local read = answer and page.read(answer)
		if read and read.line then
			store.show_line(visit.kiosk, read.line)
		end
		if not ended(visit) then
			return
		end
		if read and status == 403 and MENDED_BY_A_CODE[read.why] and visits.may_set_up(visit) then
			-- The platform does not believe this kiosk any more: a new code mends that.
			visits.ask_code(visit.name, visit.pos, read.text)
		elseif read and (status == 200 or not typed) then
			visit.page, visit.note, visit.typed, visit.why = read, nil, nil, nil
			show_page(visit)
		elseif typed then
			visit.typed, visit.why = typed, read and read.text or words_of(visit.name).unreachable
			show_page(visit)
		else
			show_notice(visit, "vTeam", words_of(visit.name).unreachable)
		end
	end)
end

-- A player touched an enrolled kiosk, or (`at`) the listening room of one.
function visits.touch(name, pos, kiosk, at)
	local visit = asked[name]
	local wait = form.notice("vTeam", words_of(name).waiting, words_of(name))
	if visit then
		-- One request at a time. Whoever closed the form and touches the same kiosk again waits for the same answer.
		if open[name] ~= visit and visit.kiosk == kiosk then
			show(visit, wait)
		end
		return
	end
	visit = {name = name, pos = pos, kiosk = kiosk}
	show(visit, wait)
	ask(visit, "touch", at and {{"at", at}} or {})
end

-- Tells one player, who touched, why there is nothing to see.
function visits.tell(name, pos, message)
	show_notice({name = name, pos = pos}, "vTeam", message)
end

-- Asks the owner for the code. `typed`: one that had no answer.
function visits.ask_code(name, pos, refusal, typed)
	show({name = name, pos = pos, enrolling = true}, form.enrol(words_of(name), refusal, typed))
end

visits.words_of = words_of

local function text_of(answer)
	local read = page.read(answer)
	return read and read.text
end

local function enrol(visit, typed)
	local code = text.line(typed, MAX_CODE)
	if code == "" then
		return visits.ask_code(visit.name, visit.pos, words_of(visit.name).enrol_empty)
	end
	begin(visit)
	door.enrol(code, function(answer, status)
		local key, secret = answer and answer.key, answer and answer.secret
		local given = status == 200 and type(key) == "string" and type(secret) == "string"
			and key:match("^[%w_-]+$") and secret:match("^[%w_-]+$")
		-- What a code gave is kept also where its owner has closed the form or left.
		local kept = given and visits.enrolled(visit.pos, visit.name,
			{key = key, secret = secret, line = page.line(answer), neutral = page.neutral(answer)})
		if not ended(visit) then
			return
		end
		local words = words_of(visit.name)
		if kept then
			show_notice(visit, "vTeam", text_of(answer) or words.enrolled)
		elseif given then
			-- The platform's text says that all went well; it did there, and the code is good again for a while.
			show_notice(visit, "vTeam", words.not_kept)
		else
			local refusal = answer and status ~= 200 and text_of(answer)
			visits.ask_code(visit.name, visit.pos, refusal or words.unreachable, not refusal and code or nil)
		end
	end)
end

local function take_flyer(visit, player)
	local words = words_of(visit.name)
	local taken = flyers.give(player, visit.page.title, visit.page.open)
	visit.note = taken and words.flyer_taken or words.flyer_no_room
	show_page(visit)
end

-- What the player did in a page's form, where it was offered there.
local function act(visit, player, fields)
	local offered = visit.page
	if fields.send or fields.key_enter_field == "ask" then
		local typed = text.first(text.clean(fields.ask or ""), MAX_TYPED)
		if offered.ask and typed:match("%S") then
			ask(visit, "action", {{"choice", offered.ask.choice}, {"text", typed}}, typed)
		end
	elseif fields.flyer then
		if offered.open and offered.open.flyer and not visit.note then
			take_flyer(visit, player)
		end
	else
		for i, choice in ipairs(offered.choices) do
			if fields["choice_" .. i] then
				if choice.id == "here" then
					return ask(visit, "presence", {})
				end
				return ask(visit, "action", {{"choice", choice.id}})
			end
		end
	end
end

minetest.register_on_player_receive_fields(function(player, formname, fields)
	if formname:sub(1, 6) ~= "vteam:" then
		return
	end
	local name = player:get_player_name()
	local visit = open[name]
	if not visit or visit.form ~= formname then
		return true
	end
	if fields.quit then
		open[name] = nil
	elseif asked[name] then
		return true
	elseif not (visit.page or visit.enrolling) then
		return true
	elseif vector.distance(player:get_pos(), visit.pos) > MAX_DISTANCE then
		show_notice(visit, "vTeam", words_of(name).far)
	elseif visit.enrolling then
		if fields.enrol or fields.key_enter_field == "code" then
			enrol(visit, fields.code or "")
		end
	else
		act(visit, player, fields)
	end
	return true
end)

minetest.register_on_leaveplayer(function(player)
	local name = player:get_player_name()
	open[name], asked[name] = nil, nil
end)

return visits
