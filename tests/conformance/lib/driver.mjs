// Google's LiteRT runtime, driven signature by signature.
const MASKED = -0.7 * 3.4028234663852886e38;  // What the engine writes for keys out of sight.

const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

/** A model whose caches pass from call to call, as an engine would keep them. */
export class SignatureDriver {
  /** `bytes` are those of a TFLite model. */
  constructor(rt, bytes) {
    this.rt = rt;
    this.bytes = bytes;
  }

  async load() {
    this.model = await this.rt.loadAndCompile(this.bytes, {accelerator: 'wasm', cpuOptions: {numThreads: 1}});
    this.cacheInputs = this.model.signatures.decode.getInputDetails()
        .filter(({name}) => /^(kv_|k_|v_)cache_/.test(name))
        .map(({name, shape}) => ({name, shape: [...shape]}))
        .sort((a, b) => a.name < b.name ? -1 : 1);
    this.clear();
  }

  /** Empties the caches. Tensors live in WebAssembly memory, which no garbage collector frees. */
  clear() {
    this.forget();
    for (const {name, shape} of this.cacheInputs) {
      this.caches[name] = new this.rt.Tensor(new Float32Array(sizeOf(shape)), shape);
    }
  }

  forget() {
    for (const tensor of Object.values(this.caches ?? {})) tensor.delete();
    this.caches = {};
  }

  delete() {
    this.forget();
    this.model?.delete();
  }

  /** {name, shape, values} of each cache, sorted by name. */
  readCaches() {
    return this.cacheInputs.map((input) => ({...input, values: this.caches[input.name].toTypedArray()}));
  }

  /** Runs `signature` on `ids` at `position`; returns the numbers of all outputs but the caches. */
  async call(signature, ids, position) {
    const runner = this.model.signatures[signature];
    if (!runner) throw new Error(`no signature ${signature}: ${Object.keys(this.model.signatures)}`);
    const feed = {};
    for (const {name, shape} of runner.getInputDetails()) {
      feed[name] = this.caches[name] ??
          new this.rt.Tensor(this.input(name, ids, position, [...shape], sizeOf(shape)), [...shape]);
    }
    const outputs = await runner.run(feed);
    for (const tensor of Object.values(feed)) tensor.delete();
    this.caches = {};
    const results = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      if (name in feed) {
        this.caches[name] = tensor;
      } else {
        results[name] = tensor.toTypedArray();
        tensor.delete();
      }
    }
    return results;
  }

  input(name, ids, position, shape, size) {
    if (['tokens', 'token_ids'].includes(name)) return Int32Array.from({length: size}, (_, i) => ids[i] ?? 0);
    if (['input_pos', 'positions'].includes(name)) return Int32Array.from({length: size}, (_, i) => i < ids.length ? position + i : 0);
    if (!['mask', 'attn_mask'].includes(name)) throw new Error(`unknown input ${name}`);
    const mask = new Float32Array(size).fill(MASKED);
    for (let row = 0; row < shape[2]; row++) mask.fill(0, row * shape[3], row * shape[3] + position + row + 1);
    return mask;
  }
}

export function compare(google, ours) {
  if (google.length !== ours.length) throw new Error(`${google.length} numbers, ours ${ours.length}`);
  let difference = 0, dot = 0, a = 0, b = 0;
  for (let i = 0; i < ours.length; i++) {
    difference = Math.max(difference, Math.abs(ours[i] - google[i]));
    dot += ours[i] * google[i];
    a += ours[i] ** 2;
    b += google[i] ** 2;
  }
  return {difference, cosine: dot / Math.sqrt(a * b)};
}
