// Google's LiteRT runtime, driven signature by signature.
const MASKED = -0.7 * 3.4028234663852886e38;  // What the engine writes for keys out of sight.

const isCache = (name) => /^(kv_|k_|v_)cache_/.test(name);
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
const numbers = (count, first) => Int32Array.from({length: count}, (_, i) => first + i);

/**
 * A decoder whose caches pass from call to call, as an engine would keep them. What other models of
 * the file compute for it, embeddings or all that split caches need, is asked of them.
 */
export class SignatureDriver {
  /** `files` are the bytes of TFLite models, whose signatures have different names. */
  constructor(rt, files) {
    this.rt = rt;
    this.files = files;
    this.models = [];
    this.signatures = {};
  }

  async load() {
    for (const bytes of this.files) {
      const model = await this.rt.loadAndCompile(bytes, {accelerator: 'wasm', cpuOptions: {numThreads: 1}});
      this.models.push(model);
      Object.assign(this.signatures, model.signatures);
    }
    this.clear();
  }

  // Tensors live in WebAssembly memory, which no garbage collector frees.
  clear() {
    for (const tensor of Object.values(this.caches ?? {})) tensor.delete();
    this.caches = {};
  }

  delete() {
    this.clear();
    for (const model of this.models) model.delete();
  }

  /** {name, shape, values} of each cache, sorted by name. */
  readCaches() {
    return this.signatures.decode.getInputDetails()
        .filter(({name}) => isCache(name))
        .map(({name, shape}) => ({
          name, shape: [...shape], values: this.caches[name]?.toTypedArray() ?? new Float32Array(sizeOf(shape)),
        }))
        .sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Runs `signature` on `ids` at `position`; returns the numbers of all outputs but the caches. */
  async call(signature, ids, position) {
    const outputs = await this.run(signature, await this.given(signature, ids, position));
    const caches = {}, slices = {}, results = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      if (isCache(name)) {
        caches[name] = tensor;
      } else if (name.startsWith('kv_slice_')) {
        slices[name] = tensor;
      } else {
        results[name] = tensor.toTypedArray();
        tensor.delete();
      }
    }
    if (Object.keys(slices).length > 0) {
      await this.updateCaches(signature, position, slices);
    } else {
      this.clear();
      this.caches = caches;
    }
    return results;
  }

  /** Values by name, for all inputs but the caches. */
  async given(signature, ids, position) {
    const runner = this.signatures[signature];
    if (!runner) throw new Error(`no signature ${signature}: ${Object.keys(this.signatures)}`);
    const given = {};
    for (const {name, shape} of runner.getInputDetails()) {
      const size = sizeOf(shape);
      if (isCache(name) || name in given) continue;
      if (name === 'embeddings') {
        given[name] = await this.embed(['embedder', 'decode_embedder'], ids, size);
      } else if (name === 'per_layer_embeddings') {
        given[name] = await this.embed(['per_layer_embedder'], ids, size);
      } else if (name.startsWith('pos_emb_')) {
        Object.assign(given, await this.values(this.part(signature, 'rope'), {
          input_pos: numbers(Number(shape[1]), position),
        }));
      } else if (/^mask_(global|local)$/.test(name)) {
        Object.assign(given, await this.values(this.part(signature, 'mask'), {
          input_tokens: Int32Array.from({length: Number(shape[2])}, (_, i) => ids[i] ?? 0),
          time_step: Int32Array.of(position),
        }));
      } else {
        given[name] = this.input(name, ids, position, [...shape], size);
      }
    }
    return given;
  }

  /** The auxiliary model's signature that belongs to one of the decoder: "prefill_rope_8". */
  part(signature, name) {
    return signature.replace(/^[a-z]+/, (phase) => `${phase}_${name}`);
  }

  /** Runs a signature on values by name, and on the caches where it takes them: its outputs. */
  async run(signature, given) {
    const feed = {};
    const own = [];
    for (const {name, shape} of this.signatures[signature].getInputDetails()) {
      if (given[name] instanceof this.rt.Tensor) {
        feed[name] = given[name];
        continue;
      }
      const cached = this.caches[name];
      feed[name] = cached ?? new this.rt.Tensor(given[name] ?? new Float32Array(sizeOf(shape)), [...shape]);
      if (!cached) own.push(feed[name]);
    }
    const outputs = await this.signatures[signature].run(feed);
    for (const tensor of own) tensor.delete();
    return outputs;
  }

  /** The same for a signature without caches: typed arrays by name. */
  async values(signature, given) {
    const outputs = await this.run(signature, given);
    const result = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      result[name] = tensor.toTypedArray();
      tensor.delete();
    }
    return result;
  }

  /** Embeddings of the tokens, one by one, and of padding, by the first of `signatures` there is. */
  async embed(signatures, ids, size) {
    const signature = signatures.find((name) => this.signatures[name]);
    const rows = [];
    for (const id of ids) {
      rows.push((await this.values(signature, {token_ids: Int32Array.of(id)})).embeddings);
    }
    const all = new Float32Array(size);
    rows.forEach((row, i) => all.set(row, i * row.length));
    return all;
  }

  async updateCaches(signature, position, slices) {
    const update = this.part(signature, 'cache_update');
    const {shape} = this.signatures[update].getInputDetails().find(({name}) => name === 'input_pos');
    const caches = await this.run(update, {...slices, input_pos: numbers(Number(shape[0]), position)});
    for (const tensor of Object.values(slices)) tensor.delete();
    this.clear();
    this.caches = caches;
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
