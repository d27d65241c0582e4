-- Pages: what the platform answers, read without trust. Pure: `parse` is given.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local text, parse = ...

local page = {}

-- The platform's answers are 1,900 bytes at most.
page.MAX_BYTES = 4096
page.MAX_DEPTH = 8
page.MAX_CHOICES = 11

-- How deep arrays and objects lie in each other; brackets in strings do not count.
function page.depth(json)
	local depth, deepest, i, inside = 0, 0, 1, false
	while i <= #json do
		local c = json:sub(i, i)
		if inside then
			if c == "\\" then
				i = i + 1
			elseif c == '"' then
				inside = false
			end
		elseif c == '"' then
			inside = true
		elseif c == "[" or c == "{" then
			depth = depth + 1
			deepest = math.max(deepest, depth)
		elseif c == "]" or c == "}" then
			depth = depth - 1
		end
		i = i + 1
	end
	return deepest
end

-- The object in an answer's body, or nil. What is too long or too deep never reaches the parser: it would
-- raise an error there.
function page.object(body)
	if type(body) ~= "string" or #body > page.MAX_BYTES or not body:match("^%s*{") then
		return nil
	end
	if page.depth(body) > page.MAX_DEPTH then
		return nil
	end
	local well, value = pcall(parse, body)
	return well and type(value) == "table" and value or nil
end

local function filled(value, bytes)
	local line = type(value) == "string" and text.line(value, bytes) or ""
	return line ~= "" and line or nil
end

local function identifier(value)
	return type(value) == "string" and #value >= 1 and #value <= 64 and text.clean(value) == value and value or nil
end

local function choices_of(value)
	local found = {}
	if type(value) == "table" then
		for _, pair in ipairs(value) do
			local id = type(pair) == "table" and identifier(pair[1])
			local label = id and filled(pair[2], 60)
			if label and #found < page.MAX_CHOICES then
				found[#found + 1] = {id = id, label = label}
			end
		end
	end
	return found
end

local function ask_of(value)
	local choice = type(value) == "table" and identifier(value.choice)
	return choice and {choice = choice, label = filled(value.label, 120) or ""} or nil
end

local function open_of(value)
	local address = type(value) == "table" and text.address(value.address)
	return address and {
		address = address,
		label = filled(value.label, 120) or "",
		flyer = value.flyer == true,
		-- What a flyer must say beside its address: that whoever hands it on earns points.
		note = filled(value.note, 240) or "",
	} or nil
end

-- The one line in an answer, or nil.
function page.line(value)
	return filled(value.line, 120)
end

-- The line that announces nothing, where an answer tells it, or nil.
function page.neutral(value)
	return filled(value.neutral, 120)
end

-- A whole page, or nil where there is nothing to show.
function page.read(value)
	local words = type(value.text) == "string" and text.fit(text.clean(value.text), 1000) or ""
	if not words:match("%S") then
		return nil
	end
	return {
		title = filled(value.title, 120) or "vTeam",
		text = words,
		choices = choices_of(value.choices),
		ask = ask_of(value.ask),
		open = open_of(value.open),
		line = page.line(value),
		why = filled(value.why, 40),
	}
end

return page
