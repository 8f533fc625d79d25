// node runtime.mjs LITERT_LM_CLI
// Google's LiteRT runtime, driven signature by signature, gives the logits that we compute.
import fs from 'node:fs';
import path from 'node:path';
import {tfliteModel} from './lib/container.mjs';
import {loadRuntime} from './lib/host.mjs';
import {readNpy} from './lib/npy.mjs';
import {fixtures, Program, readReference, Report} from './lib/program.mjs';

const TOLERANCE = 1e-4;
// Activations that are coded to int8 agree to the last bit until the first that lies so near the
// middle of two codes that the last bit of a float sum decides. From there on the caches differ by
// one step of a code: the logits still point the same way, but 1e-4 cannot hold.
const EXACT_TOKENS = 12;
const LEAST_COSINE = 0.999;
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

  // Tensors live in WebAssembly memory, which no garbage collector frees.
  clear() {
    for (const tensor of Object.values(this.caches ?? {})) tensor.delete();
    this.caches = {};
  }

  delete() {
    this.clear();
    this.model?.delete();
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
    for (const tensor of Object.values(feed)) tensor.delete();
    const {logits, ...caches} = outputs;
    this.caches = caches;
    if (!logits) return undefined;
    const values = logits.toTypedArray().slice();
    logits.delete();
    return values;
  }

  input(name, ids, position, shape, size) {
    if (name === 'tokens') return Int32Array.from({length: size}, (_, i) => ids[i] ?? 0);
    if (name === 'input_pos') return Int32Array.from({length: size}, (_, i) => i < ids.length ? position + i : 0);
    if (name !== 'mask') throw new Error(`unknown input ${name}`);
    const keys = shape[3];
    return Float32Array.from({length: size}, (_, i) => i % keys <= position + Math.floor(i / keys) ? 0 : MASKED);
  }
}

function compare(google, ours) {
  if (google.length !== ours.length) throw new Error(`${google.length} logits, ours ${ours.length}`);
  let difference = 0, dot = 0, a = 0, b = 0;
  for (let i = 0; i < ours.length; i++) {
    difference = Math.max(difference, Math.abs(ours[i] - google[i]));
    dot += ours[i] * google[i];
    a += ours[i] ** 2;
    b += google[i] ** 2;
  }
  return {difference, cosine: dot / Math.sqrt(a * b)};
}

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
    const driver = new SignatureDriver(file);
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
