-- The mod's pure files, without a server: run by test_luanti_lua.py with plain Lua 5.1 and with LuaJIT.
-- Arguments: the mod's folder, and how many million letters the longest hash takes.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local folder, million = arg[1], arg[2] == "million"

local function load(name, ...)
	return assert(loadfile(folder .. "/" .. name .. ".lua"))(...)
end

local function same(got, wanted, what)
	if got ~= wanted then
		error(("%s: %s instead of %s"):format(what, tostring(got), tostring(wanted)), 2)
	end
end

local sha256 = load("sha256")
local by_arithmetic = sha256.hasher(nil)

local function hashes(message, wanted, what)
	same(sha256.sum(message), wanted, what)
	same(by_arithmetic(message), wanted, what .. ", by arithmetic")
end

-- FIPS 180-4, and its examples.
hashes("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "nothing")
hashes("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc")
hashes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "448 bits")
-- Lengths around one and two blocks, all bytes, and UTF-8: computed by the test, and given in a file.
for line in io.lines(arg[3]) do
	local hex, wanted = line:match("^(%x*) (%x+)$")
	local message = hex:gsub("%x%x", function(pair)
		return string.char(tonumber(pair, 16))
	end)
	hashes(message, wanted, #message .. " bytes")
end
if million then
	same(sha256.sum(("a"):rep(1000000)),
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", "a million letters")
end

-- The example of docs/worlds.md.
local request = load("request", sha256.sum)
local headers = request.headers("k7q2m9xw4tbn5rhc", "0123456789abcdef0123456789abcdef", 1795315164, "1-285608922",
	"/world/v1/touch", request.body({{"avatar", "fan1"}, {"name", "fan1"}, {"language", "fr"}}))
same(table.concat(headers, "|"), "X-VTeam-Key: k7q2m9xw4tbn5rhc|X-VTeam-Time: 1795315164|X-VTeam-Nonce: 1-285608922"
	.. "|X-VTeam-Sig: aa672b118e3c2d6c8e4580697ce1ec0e517e0e68116a221eefc547ca55491835", "the signature")
same(request.body({{"a", 'q"\\\n\0é'}}), '{"a":"q\\u0022\\u005c\\u000a\\u0000é"}', "a body")
same(request.body({}), "{}", "an empty body")
local nonce, nonces = request.nonces(1, 0, 0), {}
for _ = 1, 1000 do
	local made = nonce()
	assert(not nonces[made] and #made >= 8 and #made <= 64 and made:match("^[%w-]+$"), made)
	nonces[made] = true
end
assert(request.nonces(2, 0, 0)() ~= request.nonces(1, 0, 0)())
assert(#request.nonces(2 ^ 31, 2 ^ 40, 65535)() <= 64)

local text = load("text")
same(text.clean("a\27(c@#f00)b\27Ec\0d\127e\tf\r\ng\rh"), "abEcde f\ng\nh", "controls")
same(text.clean("\27(T@vteam)x\27E"), "xE", "a translation")
same(text.clean("é€🎸"), "é€🎸", "UTF-8")
same(text.clean("\195(\237\160\128\245\128\192\175x\226\130"), "?(???????x??", "not UTF-8")
same(text.clean("a\194\133b"), "ab", "a control of two bytes")
same(text.fit("ééééé", 10), "ééééé", "fits")
same(text.fit("éééééé", 10), "ééé…", "does not fit")
same(text.first("é🎸abc", 3), "é🎸a", "characters")
same(text.line("  one\n two\t ", 99), "one two", "a line")
same(text.form("a[b]c;d,e\\f$"), "a\\[b\\]c\\;d\\,e\\\\f$", "a form's argument")
same(text.hyper("<b>\\"), "\\\\<b\\\\>\\\\\\\\", "a hypertext")
for _, good in ipairs({"https://a.example/x?y=[1];z", "http://[::1]:80/", "http://localhost:8000/r/abc"}) do
	same(text.address(good), good, "an address")
end
for _, bad in ipairs({"javascript:x", "https://a b", "https://a\nb", "ftp://a", "https://", "https://é.example/",
	"https://a/" .. ("x"):rep(250), 5, false}) do
	same(text.address(bad), nil, "no address")
end

local function parser(value)
	return function()
		if value == "raise" then
			error("as jsoncpp does")
		end
		return value
	end
end
local page = load("page", text, parser({text = "x"}))
same(page.depth('{"a": ["[[[[", "\\"[[", [1]]}'), 3, "depth")
assert(page.object("{}"), "an object")
same(page.object("[]"), nil, "an array")
same(page.object("{" .. ("["):rep(9) .. "}"), nil, "too deep")
same(page.object("{" .. (" "):rep(page.MAX_BYTES)), nil, "too long")
same(page.object(nil), nil, "no body")
same(load("page", text, parser("raise")).object("{}"), nil, "a parser that raises")
local many = {}
for i = 1, 20 do
	many[i] = {"c" .. i, "Choice " .. i}
end
local read = page.read({text = "x", choices = many, line = "a\nb", ask = {choice = "a", label = {}}, open = 5})
same(#read.choices, 11, "choices")
same(read.line, "a b", "the line")
same(read.ask.label, "", "a label that is none")
same(read.open, nil, "an address that is none")
same(page.read({text = " \n\1"}), nil, "a page with nothing to show")
same(page.read({}), nil, "a page without a text")

local check = load("settings")
local function settings(given)
	return check(function(name)
		return given[name]
	end)
end
local found, complaints = settings({vteam_address = "https://vteam.example/", vteam_timeout = "9"})
same(found.address, "https://vteam.example", "the address")
same(found.timeout_s .. " " .. found.heartbeat_s, "9 300", "the numbers")
same(#complaints, 0, "complaints")
for _, address in ipairs({"http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000", "https://10.0.0.1"}) do
	found, complaints = settings({vteam_address = address})
	same(found.address .. #complaints, address .. "0", "an address of a vTeam")
end
found, complaints = settings({vteam_address = "http://vteam.example"})
same(found.address .. #complaints, "http://vteam.example1", "an address others can read along")
for _, address in ipairs({"", "vteam.example", "https://a.example/b", "https://a b", "https://u:p@a.example"}) do
	found, complaints = settings({vteam_address = address})
	same(tostring(found.address) .. #complaints, "nil1", "no address of a vTeam")
end

local words_for = load("words")
local english, french = words_for("en"), words_for("fr_CA")
assert(french ~= english and words_for("fr") == french)
for _, code in ipairs({"", "de", "xx-yy", "1"}) do
	same(words_for(code), english, "a language")
end
same(words_for(nil), english, "no language")
for name, words in pairs(english) do
	assert(french[name], "not in French: " .. name)
	local _, here = words:gsub("@1", "")
	local _, there = french[name]:gsub("@1", "")
	same(there, here, "names in " .. name)
end
for name in pairs(french) do
	assert(english[name], "not in English: " .. name)
end

-- Whatever the words, a form has the same elements.
local form = load("form", text)
local function elements(spec)
	local kinds = spec:gsub("\\\\", ""):gsub("\\.", ""):gsub("%[[^%]]*%]", " ")
	return kinds
end
local function filled(words)
	return form.page({
		title = words, text = words, ask = {choice = "a", label = words}, open = {address = "https://a/", label = words},
		choices = {{id = "a", label = words}, {id = "here", label = words}},
	}, english, 8) .. form.enrol(english, words, words)
		.. form.page({title = words, text = words, ask = {choice = "a", label = words}, choices = {}}, english, 8, nil, words)
end
for _, words in ipairs({"];[,\\", "]", "[", ";", "\\", "\\]", "<global>", "</b>", "$", "%s%d", ("\\"):rep(7) .. "]"}) do
	same(elements(filled(words)), elements(filled("words")), "the form of " .. words)
end
same(select(2, form.page({title = "t", text = "x", choices = read.choices}, english, 6):gsub("button%[", "")), 11,
	"the buttons")

print("well " .. (rawget(_G, "jit") and jit.version or _VERSION))
