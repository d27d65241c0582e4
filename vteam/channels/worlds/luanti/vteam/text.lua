-- Texts from outside made harmless: what the platform says, what players type, what other mods put into an item.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local text = {}

-- The length of the whole UTF-8 character at `i`, or nil: not a start, cut short, too long, a surrogate.
local function character(s, i)
	local a, b, c, d = s:byte(i, i + 3)
	local function follows(x)
		return x and x >= 0x80 and x < 0xC0
	end
	if a < 0x80 then
		return 1
	elseif a >= 0xC2 and a < 0xE0 then
		return follows(b) and 2
	elseif a >= 0xE0 and a < 0xF0 then
		local lowest, highest = a == 0xE0 and 0xA0 or 0x80, a == 0xED and 0xA0 or 0xC0
		return follows(b) and b >= lowest and b < highest and follows(c) and 3
	elseif a >= 0xF0 and a < 0xF5 then
		local lowest, highest = a == 0xF0 and 0x90 or 0x80, a == 0xF4 and 0x90 or 0xC0
		return follows(b) and b >= lowest and b < highest and follows(c) and follows(d) and 4
	end
end

-- The characters a client can be shown: valid UTF-8, lines ending with "\n", no control character. Minetest's
-- sequences (ESC and a letter or parentheses) colour and translate: they go with their arguments.
function text.clean(s)
	s = s:gsub("\27%([^)]*%)", ""):gsub("\r\n?", "\n"):gsub("\t", " ")
	local kept, i = {}, 1
	while i <= #s do
		local length = character(s, i)
		local piece = length and s:sub(i, i + length - 1) or "?"
		local first, second = piece:byte(1, 2)
		local control = first < 0x20 and first ~= 0x0A or first == 0x7F or first == 0xC2 and second < 0xA0
		if not control then
			kept[#kept + 1] = piece
		end
		i = i + (length or 1)
	end
	return table.concat(kept)
end

-- The first characters that fit into `bytes`, none cut in two; with "…" where something was left out.
function text.fit(s, bytes)
	if #s <= bytes then
		return s
	end
	local stop = bytes - 3
	while stop > 0 and s:byte(stop + 1) >= 0x80 and s:byte(stop + 1) < 0xC0 do
		stop = stop - 1
	end
	return s:sub(1, stop) .. "…"
end

-- At most so many characters of valid UTF-8.
function text.first(s, characters)
	local seen = 0
	for i = 1, #s do
		local b = s:byte(i)
		if b < 0x80 or b >= 0xC0 then
			seen = seen + 1
			if seen > characters then
				return s:sub(1, i - 1)
			end
		end
	end
	return s
end

-- Clean, on one line, without spaces around it.
function text.line(s, bytes)
	s = text.clean(s):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
	return text.fit(s, bytes)
end

-- For a form's argument (lua_api, minetest.formspec_escape).
function text.form(s)
	return (s:gsub("[\\%[%];,]", "\\%0"))
end

-- For the text of a hypertext[] element: no markup of its own, then a form's argument.
function text.hyper(s)
	return text.form((s:gsub("[\\<>]", "\\%0")))
end

-- An address a person may open, or nil: http or https, plain characters only.
function text.address(s)
	if type(s) == "string" and #s <= 250 and s:match("^https?://[%w%[][%w%-._~:/?#%[%]@!$&'()*+,;=%%]*$") then
		return s
	end
end

return text
