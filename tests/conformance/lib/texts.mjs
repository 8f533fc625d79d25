// Made-up texts for comparisons of tokenizers, by fixed rules: words, code and letters of many
// scripts, white space, emoji, names of tokens, numbers; some of it not UTF-8.
import { spawnSync } from 'node:child_process';

// A small generator of random numbers (mulberry32), so that every run sees the same texts.
let state = 20240607;
function random(n) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (list) => list[random(list.length)];
const repeat = (n, make) => Array.from({ length: n }, make).join('');

const scripts = [
  [0x41, 0x5a], [0x61, 0x7a], [0xc0, 0xd6], [0xe0, 0xf6], [0x100, 0x17f], [0x386, 0x3ce],
  [0x410, 0x44f], [0x531, 0x556], [0x5d0, 0x5ea], [0x620, 0x64a], [0x904, 0x939], [0x985, 0x98c],
  [0xb85, 0xb8a], [0xe01, 0xe30], [0x10d0, 0x10f0], [0x1100, 0x1112], [0x1161, 0x1175],
  [0x1200, 0x1246], [0x1780, 0x17b3], [0x1820, 0x1877], [0x1e00, 0x1eff], [0x3041, 0x3096],
  [0x30a1, 0x30fa], [0x4e00, 0x9fa5], [0xac00, 0xd7a3], [0xf900, 0xfa6d], [0x10400, 0x1044f],
  [0x1d400, 0x1d454], [0x20000, 0x2a6d6],
];
const marks = [0x300, 0x301, 0x302, 0x303, 0x308, 0x30a, 0x30c, 0x316, 0x323, 0x327, 0x328, 0x338,
  0x345, 0x5b0, 0x5bc, 0x64e, 0x651, 0x93c, 0x94d, 0xe38, 0x11a8, 0x1161, 0x3099, 0x309a];
const words = ('the of and to in is you that it he was for on are as with his they I at be this ' +
  "don't I'll we've she'd IT'S You're naïve façade Zürich Ünïcödé ﬁne straße ΑΒΓ привет мир こんにちは " +
  '東京 안녕하세요 สวัสดี नमस्ते مرحبا שלום γειά internationalization antidisestablishmentarianism ' +
  'x86_64 CamelCase snake_case kebab-case foo.bar() 3.14159 1e-10 0xDEADBEEF 2024-06-07').split(' ');
const code = ['for (int i = 0; i < n; ++i) {\n\tsum += a[i];\n}\n', 'def f(x):\n    return x ** 2\n\n\n',
  'SELECT * FROM t WHERE a != \'b\';--', '<p class="x">&nbsp;</p>\r\n', '#include <vector>\n',
  'std::vector<std::pair<int, float>> v{{1, 2.f}};', '{"key": [1, 2, {"a": null}]}\n', '$(ls -la | grep "x")',
  '// ======\n/* ****** */\n', 'if (!x || y && ~z) return -1; // ???\n', '\\begin{align}x_1^2\\end{align}'];
const spaces = [' ', '  ', '   ', '\t', '\n', '\r\n', '\n\n', '\u00a0', '\u3000', '\u2003', '\u200b',
  '\u2028', '\u202f', '\u180e', '\v', '\f', '▁', '▁▁'];
const emoji = ['👩‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '🇩🇪🇫🇷', '1️⃣', '❤️', '🧑🏿‍🚀', '😀', '‼️', '⌚', '☃', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'];
const lookalikes = ['<|im_start|>', '<|im_end|>', '<|endoftext|>', '<|im_end', '|im_end|>', '<think>', '</think>',
  '<think', '<tool_call>', '<start_of_turn>', '<end_of_turn>', '<bos>', '<eos>', '<unused7>',
  '<unused99999>', '<0x0A>', '<table>', '</p>', '[multimodal]', '<|', '|>', '<unk>', '<pad>'];
const symbols = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~€£¥§¶†‡•…‰′″‹›⁂←→∀∂∑√∞≈≠≤≥─█★☎♠あ゙·'.split('');
const numbers = () => pick([() => String(random(1e9)), () => '0'.repeat(random(30)), () => '１２３', () => '٣٤٥',
  () => `${random(100)}.${random(1000)},${random(10)}`, () => '½²³Ⅷ൧', () => '9'.repeat(1 + random(60))])();

function letters() {
  const [low, high] = pick(scripts);
  return repeat(1 + random(12), () => String.fromCodePoint(low + random(high - low + 1)));
}
const combining = () => repeat(1 + random(4), () => letters().slice(0, 2).replace(/[\ud800-\udbff]$/, '') +
  repeat(random(4), () => String.fromCodePoint(pick(marks))));
const makers = [() => pick(words), () => pick(words), letters, combining, () => pick(code), () => pick(emoji),
  () => pick(lookalikes), numbers, () => repeat(1 + random(6), () => pick(symbols)),
  () => repeat(1 + random(4), () => pick(spaces)), () => pick([' ', '\n', '\t']).repeat(1 + random(80))];

function mixed() {
  const parts = Array.from({ length: 1 + random(14) }, () => pick(makers)());
  return Buffer.from(parts.join(pick(['', ' ', ' ', '\n'])), 'utf8');
}
// Bytes cut out, doubled or changed: characters end early, begin in their middle, are overlong.
function malformed() {
  const bytes = [...mixed()];
  for (let i = 1 + random(6); i > 0; --i) {
    const junk = pick([[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe3, 0x81],
      [0xf0, 0x9f, 0x98], [0x80], [0xc3], [0xe0, 0x80, 0xaf], [0xfe, 0xfe]]);
    bytes.splice(random(bytes.length + 1), random(3), ...junk);
  }
  return Buffer.from(bytes);
}

export const texts = [Buffer.alloc(0)];
for (const list of [words, code, spaces, emoji, lookalikes, symbols]) texts.push(...list.map((s) => Buffer.from(s)));
for (let i = 0; i < 2400; ++i) texts.push(mixed());
for (let i = 0; i < 600; ++i) texts.push(malformed());
texts.push(Buffer.from('a'.repeat(5000)), Buffer.from(' '.repeat(5000)), Buffer.from('東京'.repeat(1500)),
  Buffer.from('\n'.repeat(500)), Buffer.from('ab '.repeat(2000)), Buffer.from('e\u0301\u0323'.repeat(700)));

/** JavaScript cannot hold bytes that are not UTF-8: U+FFFD stands for each invalid sequence. */
export function decodeUtf8(bytes) {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** What PROGRAM (tokenize_lines) makes of `inputs` by the tokenizer in `file`: {ids, text} of each. */
export function ours(program, file, inputs) {
  const result = spawnSync(program, [file], {
    input: inputs.map((bytes) => bytes.toString('hex') + '\n').join(''), maxBuffer: 1 << 30, encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr}`);
  console.log(result.stderr.trim());
  return result.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
}
