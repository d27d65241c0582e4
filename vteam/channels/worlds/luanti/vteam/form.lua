-- Forms: pages as formspecs, in the look of a gig poster. Pure. Every text from outside is escaped here, and here only.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local text = ...

local form = {}

local WIDTH, MARGIN = 18, 0.9
local INSIDE = WIDTH - 2 * MARGIN
local PAPER, INK, SOFT, SEA = "#f6efe3", "#1d1a16", "#5d564b", "#1f6f78"
local BUTTON, GAP = 0.85, 0.17
-- About how many characters of the text a line takes.
local LINE_CHARACTERS = 68
-- A title longer than this is set smaller, on two lines.
local TITLE_CHARACTERS = 34

-- A button's three pictures, each stretched between its corners.
local function styled(selector, picture, colour)
	return ("%s;border=false;textcolor=%s;font=bold;font_size=+1;bgimg_middle=10;padding=-6;"
		.. "bgimg=vteam_%s.png;bgimg_hovered=vteam_%s_lit.png;bgimg_pressed=vteam_%s_lit.png]")
		:format(selector, colour, picture, picture, picture)
end

local STYLES = table.concat({
	styled("style_type[button,button_exit,button_url", "card", INK),
	styled("style[main,enrol,here", "main", INK),
	styled("style[send,flyer", "sea", PAPER),
	"style[close;border=false;bgimg=;bgimg_hovered=;bgimg_pressed=;font=bold;font_size=*1.6;textcolor=" .. INK .. "]",
	"style[close:hovered;textcolor=#ff5a3c]",
	"style_type[field;border=false;textcolor=" .. INK .. ";font_size=+1]",
	"style_type[label;textcolor=" .. INK .. "]",
})

local function words_box(x, y, w, h, size, colour, words, bold)
	words = text.hyper(words)
	if bold then
		words = "<b>" .. words .. "</b>"
	end
	return ("hypertext[%g,%g;%g,%g;;<global size=%d color=%s margin=0 valign=top>%s]")
		:format(x, y, w, h, size, colour, words)
end

-- How high the text stands, in the form's units; what is longer scrolls.
local function text_height(words)
	local height = 0
	for paragraph in (words .. "\n"):gmatch("(.-)\n") do
		height = height + math.max(1, math.ceil(#paragraph / LINE_CHARACTERS)) * 0.56 + 0.2
	end
	return math.min(5.6, height)
end

-- A form is written from the top: `add` takes its elements, `y` is where the next begins.
local function sheet()
	local self = {parts = {}, y = 0}
	function self.add(format, ...)
		self.parts[#self.parts + 1] = format:format(...)
	end
	function self.words(size, colour, words, height, bold)
		self.parts[#self.parts + 1] = words_box(MARGIN, self.y, INSIDE, height, size, colour, words, bold)
		self.y = self.y + height
	end
	function self.box(height)
		self.add("image[%g,%g;%g,%g;vteam_field.png;10]", MARGIN, self.y, INSIDE, height)
	end
	return self
end

-- Title and text flow in one box: how large a client's letters are beside its forms, the server does not know.
local function headed(title, message, words)
	local s = sheet()
	s.add("image[0,0;%d,0.6;vteam_strip.png]", WIDTH)
	local long = #title > TITLE_CHARACTERS
	local height = (long and 2.15 or 1.3) + text_height(message)
	s.add("box[%g,1.05;1.6,0.11;#ff5a3cff]", MARGIN)
	s.parts[#s.parts + 1] = ("hypertext[%g,1.3;%g,%g;;<global size=20 color=%s margin=0 valign=top>"
		.. "<style size=%d><b>"):format(MARGIN, INSIDE, height, INK, long and 26 or 34)
		.. text.hyper(title) .. "</b></style>\n" .. text.hyper(message) .. "]"
	s.add("button_exit[%g,0.7;%g,0.9;close;×]", WIDTH - MARGIN, MARGIN)
	s.add("tooltip[close;%s;%s;%s]", text.form(words.close), INK, PAPER)
	s.y = height + 1.5
	return s
end

local function finished(s)
	local height = s.y + 0.7
	return ("formspec_version[6]size[%g,%g]no_prepend[]bgcolor[#00000000;true;#1d1a1699]"
		.. "background9[0,0;%g,%g;vteam_paper.png;false;12]")
		:format(WIDTH, height, WIDTH, height) .. STYLES .. table.concat(s.parts)
end

-- The field's name, its label above it, what stands in it (or nil), and a button beside it.
local function add_field(s, name, label, typed, button, button_label)
	if label ~= "" then
		s.words(17, SOFT, label, 0.55)
	end
	s.box(BUTTON)
	s.add("field[%g,%g;%g,%g;%s;;%s]", MARGIN + 0.15, s.y + 0.02, INSIDE - 3.6, BUTTON - 0.04, name,
		text.form(typed or ""))
	s.add("field_close_on_enter[%s;false]", name)
	s.add("button[%g,%g;3.2,%g;%s;%s]", MARGIN + INSIDE - 3.2, s.y, BUTTON, button, text.form(button_label))
	s.y = s.y + BUTTON + 0.3
end

-- A choice the form may recommend: no answer to a question, and no way back.
local function recommended(i, choice)
	local open = choice.id:match("^answer:") or choice.id:match("^mission:") or choice.id == "home"
	return choice.id == "here" or (i == 1 and not open)
end

-- A button for each choice, in two columns. The first is the main one, and so is being at a concert.
local function add_choices(s, choices)
	local width = (INSIDE - GAP) / 2
	if #choices == 1 then
		width = INSIDE
	end
	for i, choice in ipairs(choices) do
		local column = (i - 1) % 2
		local x, y = MARGIN + column * (width + GAP), s.y + math.floor((i - 1) / 2) * (BUTTON + GAP)
		local name = "choice_" .. i
		if recommended(i, choice) then
			s.add("%s", styled("style[" .. name, "main", INK))
		end
		s.add("button[%g,%g;%g,%g;%s;%s]", x, y, width, BUTTON, name, text.form(choice.label))
	end
	s.y = s.y + math.ceil(#choices / 2) * (BUTTON + GAP)
end

-- An address to copy; clients from 5.10 on can open it themselves.
local function add_address(s, label, address, words, version)
	if label ~= "" then
		s.words(17, SOFT, label, 0.55)
	end
	s.box(BUTTON)
	s.add("field[%g,%g;%g,%g;address;;%s]", MARGIN + 0.15, s.y + 0.02, INSIDE - 0.3, BUTTON - 0.04, text.form(address))
	s.add("field_close_on_enter[address;false]")
	s.y = s.y + BUTTON + 0.1
	s.words(15, SOFT, words.address_hint, 0.55)
	s.y = s.y + 0.1
	if version >= 8 then
		s.add("button_url[%g,%g;%g,%g;visit;%s;%s]", MARGIN, s.y, INSIDE, BUTTON,
			text.form(words.address_open), text.form(address))
		s.y = s.y + BUTTON + GAP
	end
end

-- Title and text, nothing to do.
function form.notice(title, message, words)
	return finished(headed(title, message, words))
end

-- The code to set up a kiosk with. `refusal`: what the platform said to the last one, or nil; `typed`: one that had no
-- answer, or nil.
function form.enrol(words, refusal, typed)
	local s = headed(words.enrol_title, refusal or words.enrol_text, words)
	add_field(s, "code", words.enrol_label, typed, "enrol", words.enrol_send)
	return finished(s)
end

-- A page from the platform. `version`: of formspecs, that the player's client speaks; `note`: what became of a flyer,
-- and then no second one is offered; `typed`: what was not taken stands in its field again, under `why`.
function form.page(page, words, version, note, typed, why)
	local s = headed(page.title, why or page.text, words)
	if page.ask then
		add_field(s, "ask", page.ask.label, typed, "send", words.send)
	end
	if page.open then
		add_address(s, page.open.label, page.open.address, words, version)
		if page.open.flyer and not note then
			s.add("button[%g,%g;%g,%g;flyer;%s]", MARGIN, s.y, INSIDE, BUTTON, text.form(words.take_flyer))
			s.y = s.y + BUTTON + GAP
		end
	end
	if note then
		s.words(17, SEA, note, 0.7, true)
	end
	add_choices(s, page.choices)
	return finished(s)
end

-- What is written on a flyer.
function form.flyer(title, address, note, words, version)
	if not address then
		return form.notice(title, words.flyer_blank, words)
	end
	local s = headed(title, words.flyer_text .. (note ~= "" and "\n" .. note or ""), words)
	add_address(s, "", address, words, version)
	return finished(s)
end

return form
