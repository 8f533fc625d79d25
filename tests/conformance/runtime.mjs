// node runtime.mjs LITERT_LM_CLI
// Google's LiteRT runtime, driven signature by signature, gives the logits that we compute.
import fs from 'node:fs';
import path from 'node:path';
import {tfliteModel} from './lib/container.mjs';
import {loadRuntime} from './lib/host.mjs';
import {readNpy} from './lib/npy.mjs';
import {fixtures, Program, readReference, Report} from './lib/program.mjs';

const TOLERANCE = 1e-4;
const MASKED = -0.7 * 3.4028234663852886e38;  // What the engine writes for keys out of sight.
const PREFILL = 128;
const program = new Program(process.argv[2]);
const report = new Report();
const rt = await loadRuntime();

/** A model whose caches pass from call to call, as an engine would keep them. */
class SignatureDriver {
  constructor(file) {
    this.bytes = tfliteModel(fs.readFileSync(file));
  }

  async load() {
    this.model = await rt.loadAndCompile(this.bytes, {accelerator: 'wasm', cpuOptions: {numThreads: 1}});
    this.clear();
  }

  clear() {
    this.caches = {};
  }

  /** Runs `signature` on `ids` at `position`; returns the logits, if the signature has any. */
  async call(signature, ids, position) {
    const runner = this.model.signatures[signature];
    if (!runner) throw new Error(`no signature ${signature}: ${Object.keys(this.model.signatures)}`);
    const feed = {};
    for (const {name, shape} of runner.getInputDetails()) {
      const size = shape.reduce((a, b) => a * b, 1);
      if (name.startsWith('kv_cache_')) {
        feed[name] = this.caches[name] ?? new rt.Tensor(new Float32Array(size), [...shape]);
      } else {
        feed[name] = new rt.Tensor(this.input(name, ids, position, [...shape], size), [...shape]);
      }
    }
    const outputs = await runner.run(feed);
    let logits;
    for (const [name, tensor] of Object.entries(outputs)) {
      if (name === 'logits') logits = tensor.toTypedArray();
      else this.caches[name] = tensor;
    }
    return logits;
  }

  input(name, ids, position, shape, size) {
    if (name === 'tokens') return Int32Array.from({length: size}, (_, i) => ids[i] ?? 0);
    if (name === 'input_pos') return Int32Array.from({length: size}, (_, i) => i < ids.length ? position + i : 0);
    if (name !== 'mask') throw new Error(`unknown input ${name}`);
    const keys = shape[3];
    return Float32Array.from({length: size}, (_, i) => i % keys <= position + Math.floor(i / keys) ? 0 : MASKED);
  }
}

/** The largest difference between Google's logits and rows of ours. */
async function largestDifference(driver, ids, ours, prefilled) {
  driver.clear();
  if (prefilled) await driver.call(`prefill_${prefilled}`, ids.slice(0, prefilled), 0);
  let largest = 0;
  for (let position = prefilled; position < ids.length; position++) {
    const logits = await driver.call('decode', [ids[position]], position);
    const row = ours.values.subarray(position * ours.columns, (position + 1) * ours.columns);
    if (logits.length !== row.length) throw new Error(`${logits.length} logits, ours ${row.length}`);
    for (let i = 0; i < row.length; i++) largest = Math.max(largest, Math.abs(row[i] - logits[i]));
  }
  return largest;
}

for (const fixture of fixtures) {
  const sequences = readReference(fixture).logits;
  for (const coding of ['none', 'dynamic_int8']) {
    const file = program.convert(fixture, coding);
    const driver = new SignatureDriver(file);
    await report.check(`${fixture} ${coding}: Google's runtime compiles the model`, () => driver.load());
    for (const {name, ids} of sequences) {
      const npy = path.join(program.folder, 'logits.npy');
      program.run('logits', file, '--ids', ids.join(','), '--out', npy);
      const ours = readNpy(npy);
      for (const prefilled of ids.length > PREFILL ? [0, PREFILL] : [0]) {
        const way = prefilled ? `${prefilled} prefilled, then decoded` : 'decoded one by one';
        await report.check(`${fixture} ${coding}: logits of ${name}, ${ids.length} tokens ${way}`, async () => {
          const largest = await largestDifference(driver, ids, ours, prefilled);
          if (!(largest <= TOLERANCE)) return `largest difference ${largest}`;
        });
      }
    }
  }
}
report.finish();
