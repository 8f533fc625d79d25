// Our tokenizers against independent ones, on the published vocabularies of Qwen3 and Gemma 3:
//   node tokenizers.mjs TOKENIZE_LINES
// Ids of the texts of lib/texts.mjs, and what they decode to, must agree.
//
// Two of the others run on JavaScript's regular expressions and strings. Where these differ from
// Hugging Face's own library (Oniguruma, Rust), ours follows the latter and the texts avoid it:
// - \s matches U+FEFF and not U+0085 in JavaScript; in Oniguruma, as in Unicode, it is the reverse.
// - JavaScript cannot hold bytes that are not UTF-8: it is given the text with U+FFFD in place of
//   each maximal invalid sequence, which is what ours must make of the bytes.
// - Letters newer than Unicode 14, which PCRE2 does not know as such.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { TokenizerLoader } from '@lenml/tokenizers';
import { Tokenizer as HuggingFaceTokenizer } from 'tokenizers';
import { decodeUtf8, ours, texts } from './lib/texts.mjs';

const [program] = process.argv.slice(2);

// U+0085 and U+FEFF may come about by damage: see above.
const comparable = texts.filter((bytes) => !/[\u0085\ufeff]/.test(decodeUtf8(bytes)));

let failures = 0;
for (const family of ['qwen3', 'gemma3']) {
  const folder = new URL(`node_modules/@lenml/tokenizer-${family}/models/`, import.meta.url);
  const read = (name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
  const [tokenizerJSON, tokenizerConfig] = [read('tokenizer.json'), read('tokenizer_config.json')];
  const file = fileURLToPath(new URL('tokenizer.json', folder));
  const independent = new Tokenizer(tokenizerJSON, tokenizerConfig);
  const other = TokenizerLoader.fromPreTrained({ tokenizerJSON, tokenizerConfig });
  const original = HuggingFaceTokenizer.fromFile(file);
  const engines = {
    '@huggingface/tokenizers': (text) => independent.encode(text, { add_special_tokens: false }).ids,
    '@lenml/tokenizers': (text) => other.encode(text, { add_special_tokens: false }),
    tokenizers: async (text) => (await original.encode(text, null, { addSpecialTokens: false })).getIds(),
  };
  const results = ours(program, file, comparable);
  for (const [name, encode] of Object.entries(engines)) {
    let equal = 0;
    for (const [i, bytes] of comparable.entries()) {
      const text = decodeUtf8(bytes);
      const ids = [...await encode(text)];
      if (JSON.stringify(ids) === JSON.stringify(results[i].ids)) {
        ++equal;
      } else if (++failures <= 10) {
        console.log(`${family}: ${JSON.stringify(text)}\n  ${name}: ${ids}\n  ours: ${results[i].ids}`);
      }
    }
    console.log(`${family}: ${equal} of ${comparable.length} texts have the ids of ${name}`);
  }
  // A text survives the way to ids and back; Qwen3's normalizer composes it first.
  let back = 0;
  comparable.forEach((bytes, i) => {
    let expected = decodeUtf8(bytes);
    if (family === 'qwen3') expected = expected.normalize('NFC');
    else expected = expected.replaceAll('▁', ' ');
    if (results[i].text === expected) {
      ++back;
    } else if (++failures <= 10) {
      console.log(`${family}: ${JSON.stringify(expected)} comes back as ${JSON.stringify(results[i].text)}`);
    }
  });
  console.log(`${family}: ${back} of ${comparable.length} texts come back`);
}
process.exit(failures ? 1 : 0);
