// Google's LiteRT runtime, driven signature by signature.
import fs from 'node:fs';
import {tfliteModel} from './container.mjs';

const MASKED = -0.7 * 3.4028234663852886e38;  // What the engine writes for keys out of sight.

/** A model whose caches pass from call to call, as an engine would keep them. */
export class SignatureDriver {
  constructor(rt, file) {
    this.rt = rt;
    this.bytes = tfliteModel(fs.readFileSync(file));
  }

  async load() {
    this.model = await this.rt.loadAndCompile(this.bytes, {accelerator: 'wasm', cpuOptions: {numThreads: 1}});
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
      if (/^(kv_|k_|v_)cache_/.test(name)) {
        feed[name] = this.caches[name] ?? new this.rt.Tensor(new Float32Array(size), [...shape]);
      } else {
        feed[name] = new this.rt.Tensor(this.input(name, ids, position, [...shape], size), [...shape]);
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
    if (['tokens', 'token_ids'].includes(name)) return Int32Array.from({length: size}, (_, i) => ids[i] ?? 0);
    if (['input_pos', 'positions'].includes(name)) return Int32Array.from({length: size}, (_, i) => i < ids.length ? position + i : 0);
    if (!['mask', 'attn_mask'].includes(name)) throw new Error(`unknown input ${name}`);
    const keys = shape[3];
    return Float32Array.from({length: size}, (_, i) => i % keys <= position + Math.floor(i / keys) ? 0 : MASKED);
  }
}

export function compare(google, ours) {
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
