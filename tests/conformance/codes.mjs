// node codes.mjs LITERT_LM_CLI TAPPED_MODEL
// Where activations are coded to int8, a float between two codes goes either way by its last bit,
// and later tokens inherit the difference. So each step of ours starts from the caches that Google's
// LiteRT runtime had before it, and both show the floats that they coded: with equal codes the
// results agree as closely as floats do, and codes differ only where they had to.
import {compareCodes} from './lib/codes.mjs';
import {readTfliteModels} from './lib/container.mjs';
import {compare, SignatureDriver} from './lib/driver.mjs';
import {loadRuntime} from './lib/host.mjs';
import {fixtures, Program, readReference, Report} from './lib/program.mjs';
import {CHUNK, CONTEXT, openTapped, problemOfSteps} from './lib/tapped_model.mjs';

const CODINGS = ['dynamic_int8', 'dynamic_int4_block32', 'dynamic_int4_block128'];
const TOLERANCE = 5e-5;
const LEAST_COSINE = 0.999;
// Steps whose codes must all be equal. A chunk has many times the codes of a token.
const LEAST_EQUAL = {token: 0.95, chunk: 0.5};
const program = new Program(process.argv[2]);
const helper = process.argv[3];
const report = new Report();
const rt = await loadRuntime();

/** What a step wrote for `count` tokens to a cache [1, heads, CONTEXT, size] or [1, heads, size, CONTEXT]. */
function newEntries(cache, [, heads, rows, columns], position, count) {
  const turned = columns === CONTEXT;
  const size = turned ? rows : columns;
  const entries = [];
  for (let head = 0; head < heads; head++) {
    for (let p = position; p < position + count; p++) {
      for (let i = 0; i < size; i++) {
        entries.push(cache[turned ? (head * size + i) * CONTEXT + p : (head * CONTEXT + p) * size + i]);
      }
    }
  }
  return entries;
}

/** Steps of one file, and what came of them. */
class Comparison {
  token = {steps: 0, equal: 0};
  chunk = {steps: 0, equal: 0};
  largest = 0;   // Difference of results where codes are equal.
  borders = {};  // How often a product was the first with different codes.

  constructor(google, ours) {
    this.google = google;
    this.ours = ours;
  }

  /** Runs both sides: {taps, results} as {name, google, ours}. */
  async run(ids, position) {
    this.ours.start(ids, position, this.caches.map(({values}) => values));
    const outputs = await this.google.call(ids.length === 1 ? 'decode' : `prefill_${CHUNK}`, ids, position);
    this.caches = this.google.readCaches();
    const taps = Object.keys(outputs).sort().map((name) => {
      // We do not compute the rows that only fill a chunk up.
      const real = ids.length === 1 ? 1 : ids.length / CHUNK;
      return {name, google: outputs[name].subarray(0, outputs[name].length * real)};
    });
    const wanted = [...this.caches.map(({values}) => values), ...taps.map(({google}) => google)];
    const ours = await this.ours.outputs(wanted.map(({length}) => length));
    taps.forEach((tap, i) => { tap.ours = ours[this.caches.length + i]; });
    const results = this.caches.map(({name, shape, values}, i) => ({
      name,
      google: newEntries(values, shape, position, ids.length),
      ours: newEntries(ours[i], shape, position, ids.length),
    }));
    if (taps[0].name === 'logits') results.push(taps.shift());
    return {taps, results};
  }

  /** What is wrong with one step, if anything. */
  async problem(ids, position) {
    const {taps, results} = await this.run(ids, position);
    const {problem, border} = compareCodes(taps, ids.length);
    if (problem) return problem;
    const counts = ids.length === 1 ? this.token : this.chunk;
    counts.steps++;
    if (border) this.borders[border] = (this.borders[border] ?? 0) + 1;
    else counts.equal++;
    for (const {name, google, ours} of results) {
      const {difference, cosine} = compare(google, ours);
      if (!(cosine >= LEAST_COSINE)) return `the cosine of ${name} is ${cosine}`;
      if (border) continue;
      if (!(difference <= TOLERANCE)) return `all codes are equal, but ${name} differs by ${difference}`;
      this.largest = Math.max(this.largest, difference);
    }
  }

  /** The same of a sequence whose first `prefilled` tokens come in chunks. */
  async problemOfSequence(ids, prefilled) {
    this.google.clear();
    this.caches = this.google.readCaches();
    return problemOfSteps(ids, prefilled, (part, position) => this.problem(part, position));
  }

  summary() {
    const share = ({equal, steps}) => `${equal} of ${steps}`;
    const borders = Object.entries(this.borders).sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
    return `codes equal in ${share(this.token)} tokens and ${share(this.chunk)} chunks, ` +
        `results within ${this.largest.toExponential(1)}; borders first at ${borders.join(', ') || 'none'}`;
  }
}

/** What the taps change in Google's logits, if anything. */
async function problemOfTaps(tapped, file, ids) {
  const plain = new SignatureDriver(rt, readTfliteModels(file));
  await plain.load();
  tapped.clear();
  for (const [position, id] of ids.entries()) {
    const [expected, {logits}] = [await plain.call('decode', [id], position), await tapped.call('decode', [id], position)];
    const {difference} = compare(expected.logits, logits);
    if (difference !== 0) return `position ${position}: they differ by ${difference}`;
  }
  plain.delete();
}

for (const fixture of fixtures) {
  const {prompts, logits: talks} = readReference(fixture);
  for (const coding of CODINGS) {
    const {file, google, ours} = await openTapped(rt, program, helper, fixture, coding);
    const comparison = new Comparison(google, ours);
    await report.check(`${fixture} ${coding}: Google's logits are the same without taps`, () =>
        problemOfTaps(google, file, talks[0].ids));
    await report.check(`${fixture} ${coding}: ${prompts.length} prompts in chunks, their answers decoded`, async () => {
      for (const {ids, output_ids: answer} of prompts) {
        const problem = await comparison.problemOfSequence([...ids, ...answer], ids.length - 1);
        if (problem) return problem;
      }
    });
    await report.check(`${fixture} ${coding}: ${talks.length} talks decoded one by one`, async () => {
      for (const {ids} of talks) {
        const problem = await comparison.problemOfSequence(ids, 0);
        if (problem) return problem;
      }
    });
    await report.check(`${fixture} ${coding}: ${comparison.summary()}`, () => {
      for (const [kind, least] of Object.entries(LEAST_EQUAL)) {
        const {steps, equal} = comparison[kind];
        if (!(steps && equal >= least * steps)) return `that is less than ${100 * least} % of the ${kind}s`;
      }
    });
    ours.delete();
    google.delete();
  }
}
report.finish();
