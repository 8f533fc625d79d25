// node runtime.mjs LITERT_LM_CLI
// Google's LiteRT runtime, driven signature by signature, gives the logits that we compute.
import path from 'node:path';
import {compare, SignatureDriver} from './lib/driver.mjs';
import {loadRuntime} from './lib/host.mjs';
import {readNpy} from './lib/npy.mjs';
import {fixtures, Program, readReference, Report} from './lib/program.mjs';

const TOLERANCE = 1e-4;
// Activations that are coded to int8 agree to the last bit until the first that lies so near the
// middle of two codes that the last bit of a float sum decides. From there on the caches differ by
// one step of a code: the logits still point the same way, but 1e-4 cannot hold.
const EXACT_TOKENS = 12;
const LEAST_COSINE = 0.999;
const PREFILL = 128;
const program = new Program(process.argv[2]);
const report = new Report();
const rt = await loadRuntime();

/** What is wrong with our logits, if anything. */
async function problem(driver, ids, ours, prefilled, coded) {
  driver.clear();
  if (prefilled) await driver.call(`prefill_${prefilled}`, ids.slice(0, prefilled), 0);
  for (let position = prefilled; position < ids.length; position++) {
    const logits = await driver.call('decode', [ids[position]], position);
    const row = ours.values.subarray(position * ours.columns, (position + 1) * ours.columns);
    const {difference, cosine} = compare(logits, row);
    const exact = !coded || position < EXACT_TOKENS;
    if (exact && !(difference <= TOLERANCE)) return `position ${position}: they differ by ${difference}`;
    if (!(cosine >= LEAST_COSINE)) return `position ${position}: their cosine is ${cosine}`;
  }
}

for (const fixture of fixtures) {
  const sequences = readReference(fixture).logits;
  for (const coding of ['none', 'dynamic_int8']) {
    const file = program.convert(fixture, coding);
    const driver = new SignatureDriver(rt, file);
    await report.check(`${fixture} ${coding}: Google's runtime compiles the model`, () => driver.load());
    for (const {name, ids} of sequences) {
      const npy = path.join(program.folder, 'logits.npy');
      program.run('logits', file, '--ids', ids.join(','), '--out', npy, '--kv-cache-type', 'f32');
      const ours = readNpy(npy);
      for (const prefilled of ids.length > PREFILL ? [0, PREFILL] : [0]) {
        const way = prefilled ? `${prefilled} prefilled, then decoded` : 'decoded one by one';
        await report.check(`${fixture} ${coding}: logits of ${name}, ${ids.length} tokens ${way}`, () =>
            problem(driver, ids, ours, prefilled, coding === 'dynamic_int8'));
      }
    }
    driver.delete();
  }
}
report.finish();
