// node operators.mjs WRITE_OPERATOR_CASES
// Small models of one operator each (tests/conformance/operators): Google's LiteRT runtime computes
// what we compute, exactly for integers and for what only moves data.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {loadRuntime, takeLoggedErrors} from './lib/host.mjs';

const LEAST_COMPARED = 300;
const ARRAYS = {f32: Float32Array, i32: Int32Array};

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'litertlm-operators-'));
process.on('exit', () => fs.rmSync(folder, {recursive: true, force: true}));
const writer = spawnSync(path.resolve(process.argv[2]), [folder], {encoding: 'utf8'});
if (writer.status !== 0) {
  process.stdout.write(`FAILED  our models: ${writer.stderr ?? writer.error}\n`);
  process.exit(1);
}
const cases = fs.readFileSync(path.join(folder, 'cases.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const values = fs.readFileSync(path.join(folder, 'values.bin'));
const rt = await loadRuntime();

function arrayOf({dtype, offset, count}) {
  return new ARRAYS[dtype](Uint8Array.from(values.subarray(offset, offset + 4 * count)).buffer);
}

/** Where the two differ by more than `tolerance`, relative to the number or, as sums cancel, to the
 *  mean magnitude of all. */
function difference(google, ours, tolerance) {
  if (google.length !== ours.length) return `${google.length} numbers, ours ${ours.length}`;
  const magnitude = google.reduce((sum, x) => sum + Math.abs(x), 0) / google.length;
  for (let i = 0; i < ours.length; i++) {
    if (Object.is(google[i], ours[i]) || google[i] === ours[i]) continue;
    const allowed = tolerance * Math.max(Math.abs(google[i]), magnitude);
    if (!(Math.abs(google[i] - ours[i]) <= allowed)) return `element ${i} is ${google[i]}, ours ${ours[i]}`;
  }
}

async function run(model, {inputs}) {
  const runner = model.signatures.main;
  const feed = {};
  for (const input of inputs) feed[input.name] = new rt.Tensor(arrayOf(input), input.shape);
  try {
    const outputs = await runner.run(feed);
    const result = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      result[name] = tensor.toTypedArray().slice();
      tensor.delete();
    }
    return result;
  } finally {
    for (const tensor of Object.values(feed)) tensor.delete();
  }
}

/** {problem} if the two differ, {refusal} if Google's runtime does not run the model. */
async function check(test) {
  let model;
  try {
    model = await rt.loadAndCompile(new Uint8Array(fs.readFileSync(path.join(folder, test.file))), {accelerator: 'wasm', cpuOptions: {numThreads: 1}});
    const google = await run(model, test);
    // Where an operator cannot be prepared, this is said in the log only, and the outputs are noise.
    const errors = takeLoggedErrors();
    if (errors) return {refusal: errors};
    for (const output of test.outputs) {
      const problem = difference(google[output.name], arrayOf(output), test.tolerance);
      if (problem) return {problem: `output ${output.name}: ${problem}`};
    }
    return {};
  } catch (error) {
    return {refusal: `${error?.message ?? error}\n${takeLoggedErrors()}`};
  } finally {
    model?.delete();
  }
}

const counts = {};
const refused = {};
let failed = 0;
for (const test of cases) {
  const {problem, refusal} = await check(test);
  const count = counts[test.op] ??= {compared: 0, refused: 0};
  if (refusal) {
    count.refused++;
    const names = refused[`${test.op} ${test.options}`] ??= {times: 0, refusal};
    names.times++;
    continue;
  }
  count.compared++;
  if (problem) {
    failed++;
    const shapes = test.inputs.map(({dtype, shape}) => `${dtype}[${shape}]`).join(' ');
    process.stdout.write(`FAILED  ${test.op} ${test.options}, of ${shapes}\n  ${problem}\n`);
  }
}
let compared = 0;
for (const [op, count] of Object.entries(counts)) {
  compared += count.compared;
  process.stdout.write(`${String(count.compared).padStart(4)}  ${op}\n`);
}
for (const [name, {times, refusal}] of Object.entries(refused)) {
  const reason = refusal.trim().split('\n')[0].replace(/^ERROR: /, '').slice(0, 100);
  process.stdout.write(`refused by Google's runtime: ${name} (${times}): ${reason}\n`);
}
process.stdout.write(`${compared - failed} of ${compared} models agree; ${cases.length - compared} were refused\n`);
process.exit(failed || compared < LEAST_COMPARED ? 1 : 0);
