// node runtime.mjs LITERT_LM_CLI
// Google's LiteRT runtime, driven signature by signature, gives the logits that we compute: by any
// kernels where activations stay floats, by the scalar ones where they are quantized (codes.mjs
// compares the others there, bits.mjs what goes on inside).
import path from 'node:path';
import {readTfliteModels} from './lib/container.mjs';
import {compare, SignatureDriver} from './lib/driver.mjs';
import {loadRuntime} from './lib/host.mjs';
import {readNpy} from './lib/npy.mjs';
import {fixtures, Program, readReference, Report} from './lib/program.mjs';

const TOLERANCE = 1e-4;
const PREFILL = 128;
const DYNAMIC = ['dynamic_int8', 'dynamic_int4_block32', 'dynamic_int4_block128'];
const chosen = process.env.LITERTLM_ISA ?? '';  // None: the best of this processor.
const program = new Program(process.argv[2]);
const report = new Report();
const rt = await loadRuntime();

/** What is wrong with our logits, if anything. */
async function problem(driver, ids, ours, prefilled) {
  driver.clear();
  if (prefilled) await driver.call(`prefill_${prefilled}`, ids.slice(0, prefilled), 0);
  for (let position = prefilled; position < ids.length; position++) {
    const {logits} = await driver.call('decode', [ids[position]], position);
    const row = ours.values.subarray(position * ours.columns, (position + 1) * ours.columns);
    const {difference} = compare(logits, row);
    if (!(difference <= TOLERANCE)) return `position ${position}: they differ by ${difference}`;
  }
}

for (const fixture of fixtures) {
  const sequences = readReference(fixture).logits;
  for (const coding of ['none', 'fp16', 'int8', ...DYNAMIC]) {
    process.env.LITERTLM_ISA = DYNAMIC.includes(coding) ? 'scalar' : chosen;
    const file = program.convert(fixture, coding);
    const driver = new SignatureDriver(rt, readTfliteModels(file));
    await report.check(`${fixture} ${coding}: Google's runtime compiles the model`, () => driver.load());
    for (const {name, ids} of sequences) {
      const npy = path.join(program.folder, 'logits.npy');
      program.run('logits', file, '--ids', ids.join(','), '--out', npy, '--kv-cache-type', 'f32');
      const ours = readNpy(npy);
      for (const prefilled of ids.length > PREFILL ? [0, PREFILL] : [0]) {
        const way = prefilled ? `${prefilled} prefilled, then decoded` : 'decoded one by one';
        await report.check(`${fixture} ${coding}: logits of ${name}, ${ids.length} tokens ${way}`, () =>
            problem(driver, ids, ours, prefilled));
      }
    }
    driver.delete();
  }
}
report.finish();
