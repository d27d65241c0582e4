-- SHA-256 (FIPS 180-4) of a string of bytes, as 64 small hexadecimal digits. Minetest 5.6 has only SHA-1.
-- The words are mixed by LuaJIT's `bit` where there is one, else by arithmetic: plain Lua 5.1 has no bit operators.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local K = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
local START = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
}
local WORD = 2 ^ 32
local floor, byte, char = math.floor, string.byte, string.char

-- The message, a one bit, zeros, and the message's length in bits: whole blocks of 64 bytes.
local function padded(message)
	local bits = #message * 8
	local length = {}
	for i = 8, 1, -1 do
		length[i] = char(bits % 256)
		bits = floor(bits / 256)
	end
	return message .. "\128" .. ("\0"):rep((55 - #message) % 64) .. table.concat(length)
end

-- Mixes the block at `at` into the eight words `h`, with LuaJIT's operations.
local function mixer_of_bits(bit)
	local band, bnot, bxor = bit.band, bit.bnot, bit.bxor
	local ror, rshift, tobit = bit.ror, bit.rshift, bit.tobit
	local w = {}
	return function(h, blocks, at)
		for i = 0, 15 do
			local p, q, r, s = byte(blocks, at + 4 * i, at + 4 * i + 3)
			w[i] = tobit(p * 16777216 + q * 65536 + r * 256 + s)
		end
		for i = 16, 63 do
			local x, y = w[i - 15], w[i - 2]
			local s0 = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
			local s1 = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
			w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
		end
		local a, b, c, d, e, f, g, k = h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8]
		for i = 0, 63 do
			local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
			local t = tobit(k + s1 + bxor(band(e, f), band(bnot(e), g)) + K[i + 1] + w[i])
			local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
			local u = s0 + bxor(band(a, b), band(a, c), band(b, c))
			a, b, c, d, e, f, g, k = tobit(t + u), a, b, c, tobit(d + t), e, f, g
		end
		local now = {a, b, c, d, e, f, g, k}
		for i = 1, 8 do
			h[i] = tobit(h[i] + now[i]) % WORD
		end
	end
end

-- The same by arithmetic: words are whole numbers below 2^32, and two bytes are and-ed by a table of 65,536.
local function mixer_of_numbers()
	local AND = {}
	for x = 0, 255 do
		for y = 0, 255 do
			local both, p, q, value = 0, x, y, 1
			while p > 0 and q > 0 do
				if p % 2 == 1 and q % 2 == 1 then
					both = both + value
				end
				p, q, value = floor(p / 2), floor(q / 2), value * 2
			end
			AND[x * 256 + y] = both
		end
	end
	local function band(x, y)
		local x0, y0 = x % 256, y % 256
		local x1, y1 = (x - x0) / 256 % 256, (y - y0) / 256 % 256
		local x2, y2 = floor(x / 65536) % 256, floor(y / 65536) % 256
		return AND[x0 * 256 + y0] + AND[x1 * 256 + y1] * 256 + AND[x2 * 256 + y2] * 65536
			+ AND[floor(x / 16777216) * 256 + floor(y / 16777216)] * 16777216
	end
	local function bxor(x, y)
		return x + y - 2 * band(x, y)
	end
	local function ror(x, n)
		local low = x % 2 ^ n
		return (x - low) / 2 ^ n + low * 2 ^ (32 - n)
	end
	local w = {}
	return function(h, blocks, at)
		for i = 0, 15 do
			local p, q, r, s = byte(blocks, at + 4 * i, at + 4 * i + 3)
			w[i] = p * 16777216 + q * 65536 + r * 256 + s
		end
		for i = 16, 63 do
			local x, y = w[i - 15], w[i - 2]
			local s0 = bxor(bxor(ror(x, 7), ror(x, 18)), floor(x / 8))
			local s1 = bxor(bxor(ror(y, 17), ror(y, 19)), floor(y / 1024))
			w[i] = (w[i - 16] + s0 + w[i - 7] + s1) % WORD
		end
		local a, b, c, d, e, f, g, k = h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8]
		for i = 0, 63 do
			local s1 = bxor(bxor(ror(e, 6), ror(e, 11)), ror(e, 25))
			local t = k + s1 + bxor(g, band(e, bxor(f, g))) + K[i + 1] + w[i]
			local s0 = bxor(bxor(ror(a, 2), ror(a, 13)), ror(a, 22))
			local u = s0 + band(a, b) + band(c, bxor(a, b))
			a, b, c, d, e, f, g, k = (t + u) % WORD, a, b, c, (d + t) % WORD, e, f, g
		end
		local now = {a, b, c, d, e, f, g, k}
		for i = 1, 8 do
			h[i] = (h[i] + now[i]) % WORD
		end
	end
end

-- The function that hashes, mixing with `bit` where it is given.
local function hasher(bit)
	local mix = bit and mixer_of_bits(bit) or mixer_of_numbers()
	return function(message)
		local blocks = padded(message)
		local h = {}
		for i = 1, 8 do
			h[i] = START[i]
		end
		for at = 1, #blocks, 64 do
			mix(h, blocks, at)
		end
		local digits = {}
		for i = 1, 8 do
			-- In two halves: where %x takes a C int, a whole word is too large.
			digits[i] = ("%04x%04x"):format(floor(h[i] / 65536), h[i] % 65536)
		end
		return table.concat(digits)
	end
end

return {hasher = hasher, sum = hasher(rawget(_G, "bit"))}
