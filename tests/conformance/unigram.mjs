// Our tokenizers for tokenizer.json files of the model type Unigram against Hugging Face's own
// library:
//   node unigram.mjs TOKENIZE_LINES WRITE_UNIGRAM_TOKENIZERS
// The second program writes files with the parts that those of T5, XLM-R, Pegasus and ALBERT have.
// Ids of the texts of lib/texts.mjs, and what they decode to, must agree; but for spaces in front,
// which the library leaves out: a stream of tokens has no end at which that could be done.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from 'tokenizers';
import { decodeUtf8, ours, texts } from './lib/texts.mjs';

const [program, writer] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'unigram-'));
let failures = 0;

async function compare(name) {
  const reference = Tokenizer.fromFile(join(folder, name));
  const results = ours(program, join(folder, name), texts);
  let equal = 0;
  for (const [i, bytes] of texts.entries()) {
    const text = decodeUtf8(bytes);
    const encoding = await reference.encode(text, null, { addSpecialTokens: false });
    const ids = [...encoding.getIds()];
    const decoded = await reference.decode(ids, false);
    if (JSON.stringify(ids) === JSON.stringify(results[i].ids) &&
        decoded.replace(/^ +/, '') === results[i].text.replace(/^ +/, '')) {
      ++equal;
    } else if (++failures <= 10) {
      console.log(`${name}: ${JSON.stringify(text)}\n  theirs: ${ids}\n  ours: ${results[i].ids}\n` +
        `  ${JSON.stringify(decoded)}\n  ${JSON.stringify(results[i].text)}`);
    }
  }
  console.log(`${name}: ${equal} of ${texts.length} texts have the ids and the text of tokenizers`);
}

try {
  const written = spawnSync(writer, [folder], { encoding: 'utf8' });
  if (written.status !== 0) throw new Error(`${writer} failed: ${written.stderr}`);
  const names = readdirSync(folder).sort();
  if (names.length === 0) throw new Error(`${writer} wrote nothing`);
  for (const name of names) await compare(name);
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(failures ? 1 : 0);
