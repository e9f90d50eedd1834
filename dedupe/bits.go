package dedupe

import "math/bits"

// Weights are whole tenths of a bit. Logarithms and chances are made of integers alone, so that no compiler's or
// processor's way with floating point can move a digit.

// logRatio is log2(num/den) in tenths of a bit. Both must be above 0. Each logarithm is rounded by itself, so that
// logRatio(a, b) is -logRatio(b, a).
func logRatio(num, den uint64) int { return log2(num) - log2(den) }

// log2 is the logarithm of x > 0 in tenths, rounded to the nearest.
func log2(x uint64) int {
	whole := bits.Len64(x) - 1
	mantissa := x << (63 - whole) // 1.63 fixed point, in [1, 2)
	tenths := whole * 10
	for _, from := range halfway {
		if mantissa < from {
			break
		}
		tenths++
	}
	return tenths
}

// halfway are 2^(0.05), 2^(0.15) … 2^(0.95) in 1.63 fixed point: from each of them on, log2 rounds up to the next tenth.
var halfway = [10]uint64{
	9548633549295150385, 10233972041618277888, 10968499650544839023, 11755746849292563690, 12599497505366409912,
	13503807067543945115, 14473022058203641314, 15511800964685064948, 16625136630094324621, 17818380251175154814,
}

// powers are 2^(0.0), 2^(0.1) … 2^(0.9) in 1.31 fixed point.
var powers = [10]uint64{
	2147483648, 2301615985, 2466810933, 2643862495, 2833621661, 3037000499, 3254976541, 3488597478, 3738986198, 4007346184,
}

// million is one in the unit of chances and frequencies.
const million = 1_000_000

// Chance is the probability that two records are one person, in millionths, at a total weight in tenths of a bit with
// the prior included.
func Chance(tenths int) int {
	if tenths < 0 {
		return million - Chance(-tenths)
	}
	whole := tenths / 10
	if whole > 25 {
		return million
	}
	odds := powers[tenths%10] >> 9 << whole // 1.22 fixed point, below 2^49 × 2^…: whole ≤ 25 keeps it under 2^48
	const one = 1 << 22
	if odds > 1<<40 { // keeps odds × a million within 64 bits
		return int(million - (million*one+(odds+one)/2)/(odds+one))
	}
	return int((million*odds + (odds+one)/2) / (odds + one))
}
