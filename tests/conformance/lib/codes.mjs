// The int8 codes of activations (docs/quantization.md), computed from the floats that two programs
// coded.

// Of the largest in the row: where earlier codes are equal, floats differ in their last bits only.
const FLOAT_TOLERANCE = 1e-5;
const f32 = Math.fround;
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
// To the nearest integer, ties to even: adding 1.5 * 2^23 leaves no bits for a fraction.
const round = (x) => f32(x + 12582912) - 12582912;

/** The codes of a row, less its zero point. */
function codesOf(row) {
  let low = 0, high = 0;
  for (const x of row) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
  const inverse = low === high ? 1 : f32(255 / f32(high - low));
  const scaledLow = f32(low * inverse), scaledHigh = f32(high * inverse);
  const nearerLow = f32(f32(-128 + scaledLow) + f32(127 + scaledHigh)) > 0;
  const zero = round(clamp(f32(nearerLow ? -128 - scaledLow : 127 - scaledHigh), -128, 127));
  const codes = new Int16Array(row.length);
  for (let i = 0; i < row.length; i++) codes[i] = clamp(round(f32(row[i] * inverse)), -128 - zero, 127 - zero);
  return codes;
}

/** {problem} if two correct programs can't have coded these rows; else {equal}: whether all codes are. */
function compareRows(google, ours) {
  const codes = codesOf(google), other = codesOf(ours);
  let magnitude = 0, difference = 0, equal = true;
  for (let i = 0; i < google.length; i++) {
    magnitude = Math.max(magnitude, Math.abs(google[i]));
    difference = Math.max(difference, Math.abs(google[i] - ours[i]));
    if (codes[i] === other[i]) continue;
    equal = false;
    if (Math.abs(codes[i] - other[i]) !== 1) return {problem: `element ${i} has code ${codes[i]}, ours ${other[i]}`};
  }
  if (difference <= FLOAT_TOLERANCE * magnitude) return {equal};
  return {problem: `floats up to ${magnitude} differ by ${difference}`};
}

/**
 * Compares taps {name, google, ours} of some rows in the graph's order, up to the first product for
 * which a code differs in any row: rows see each other in later layers, so what comes then may
 * follow from that. {problem}, or {border}: the name of that product's matrix without its layer,
 * if there is such a product.
 */
export function compareCodes(taps, rows) {
  for (const {name, google, ours} of taps) {
    const width = google.length / rows;
    let differs = false;
    for (let begin = 0; begin < google.length; begin += width) {
      const {problem, equal} = compareRows(google.subarray(begin, begin + width), ours.subarray(begin, begin + width));
      if (problem) return {problem: `${name}, row ${begin / width}: ${problem}`};
      differs ||= !equal;
    }
    if (differs) return {border: /(\w+\.\w+)\.weight$/.exec(name)[1]};
  }
  return {};
}
