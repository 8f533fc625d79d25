// Calls of tapped_model (tests/conformance/codes): our side of a comparison step by step.
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {SignatureDriver} from './driver.mjs';

/** Prefilled rows, and room in the caches, of the files that are compared. */
export const CHUNK = 32;
export const CONTEXT = 256;

/** A fixture in a coding, run with taps by Google's runtime `rt` and by us: {file, google, ours}. */
export async function openTapped(rt, program, binary, fixture, coding) {
  const file = program.convert(fixture, coding, '--prefill-seq-len', CHUNK, '--kv-cache-max-len', CONTEXT);
  const tapped = path.join(program.folder, 'tapped.tflite');
  writeTapped(binary, file, tapped);
  const google = new SignatureDriver(rt, [fs.readFileSync(tapped)]);
  await google.load();
  return {file, google, ours: new TappedModel(binary, file)};
}

/** The first problem of `step(ids, position)`, called for chunks of the first `prefilled` tokens, then for each other. */
export async function problemOfSteps(ids, prefilled, step) {
  for (let at = 0; at < ids.length;) {
    const count = at < prefilled ? Math.min(CHUNK, prefilled - at) : 1;
    const problem = await step(ids.slice(at, at + count), at);
    if (problem) return `position ${at}, ${count} tokens: ${problem}`;
    at += count;
  }
}

/** Writes the TFLite model of `file` with taps to `output`. */
function writeTapped(binary, file, output) {
  const result = spawnSync(path.resolve(binary), ['write', file, output], {encoding: 'utf8'});
  if (result.status !== 0) throw new Error(`tapped_model write ${file}\n  ${result.stderr ?? result.error}`);
}

/** The model of a file, run by us from whatever caches a step is given. */
export class TappedModel {
  constructor(binary, file) {
    this.child = spawn(path.resolve(binary), ['run', file], {stdio: ['pipe', 'pipe', 'inherit']});
    this.child.stdin.on('error', () => {});  // Where it has ended, reading its answer says so.
    this.answers = this.child.stdout[Symbol.asyncIterator]();
  }

  delete() {
    this.child.stdin.end();
  }

  /** Begins a step. */
  start(ids, position, caches) {
    const {stdin} = this.child;
    stdin.write(new Uint8Array(Int32Array.of(ids.length, position, ...ids).buffer));
    for (const cache of caches) stdin.write(new Uint8Array(cache.buffer, cache.byteOffset, cache.byteLength));
  }

  /** The outputs of the step that was begun, as many numbers each as `sizes` says. */
  async outputs(sizes) {
    const bytes = await this.read(4 * sizes.reduce((a, b) => a + b));
    let at = 0;
    return sizes.map((size) => new Float32Array(bytes, 4 * at, (at += size, size)));
  }

  /** An answer, which must have that many bytes. */
  async read(size) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const {value, done} = await this.answers.next();
      if (done || at + value.length > size) throw new Error(`tapped_model did not answer with the ${size} bytes of the outputs`);
      bytes.set(value, at);
      at += value.length;
    }
    return bytes.buffer;
  }
}
