// node bits.mjs LITERT_LM_CLI TAPPED_MODEL
// The scalar kernels define the arithmetic: whole sequences, each step from its own program's
// caches, give the bits of Google's LiteRT runtime, in every float that is coded and in all logits.
import {loadRuntime} from './lib/host.mjs';
import {codings, fixtures, Program, readReference, Report} from './lib/program.mjs';
import {CHUNK, openTapped, problemOfSteps} from './lib/tapped_model.mjs';

process.env.LITERTLM_ISA = 'scalar';
const program = new Program(process.argv[2]);
const helper = process.argv[3];
const report = new Report();
const rt = await loadRuntime();

/** Where two arrays of floats first differ, if anywhere. */
function difference(google, ours) {
  const i = google.findIndex((x, at) => x !== ours[at]);
  if (i >= 0) return `element ${i} is ${google[i]}, ours ${ours[i]}`;
}

/** Two programs that run a sequence side by side. */
class Comparison {
  steps = 0;

  constructor(google, ours) {
    this.google = google;
    this.ours = ours;
  }

  /** What differs in a step, if anything. */
  async problem(ids, position) {
    this.ours.start(ids, position, this.caches);
    const outputs = await this.google.call(ids.length === 1 ? 'decode' : `prefill_${CHUNK}`, ids, position);
    // We do not compute the rows that only fill a chunk up.
    const real = ids.length === 1 ? 1 : ids.length / CHUNK;
    const google = Object.keys(outputs).sort().map((name) => ({
      name, values: outputs[name].subarray(0, outputs[name].length * real),
    }));
    const sizes = [...this.caches.map(({length}) => length), ...google.map(({values}) => values.length)];
    const ours = await this.ours.outputs(sizes);
    this.caches = ours.splice(0, this.caches.length);
    for (const [i, {name, values}] of google.entries()) {
      const problem = difference(values, ours[i]);
      if (problem) return `${name}: ${problem}`;
    }
    this.steps++;
  }

  /** The same of a sequence whose first `prefilled` tokens come in chunks. */
  async problemOfSequence(ids, prefilled) {
    this.google.clear();
    this.caches = this.google.readCaches().map(({values}) => values);
    return problemOfSteps(ids, prefilled, (part, position) => this.problem(part, position));
  }
}

for (const fixture of fixtures) {
  const {prompts, logits: talks} = readReference(fixture);
  const sequences = [
    ...prompts.map(({ids, output_ids: answer}) => ({ids: [...ids, ...answer], prefilled: ids.length - 1})),
    ...talks.map(({ids}) => ({ids, prefilled: 0})),
  ];
  for (const coding of codings) {
    const {google, ours} = await openTapped(rt, program, helper, fixture, coding);
    const comparison = new Comparison(google, ours);
    await report.check(`${fixture} ${coding}: ${sequences.length} prompts with answers, and talks`, async () => {
      for (const {ids, prefilled} of sequences) {
        const problem = await comparison.problemOfSequence(ids, prefilled);
        if (problem) return problem;
      }
    });
    await report.check(`${fixture} ${coding}: all bits are equal in ${comparison.steps} steps`, () =>
        comparison.steps > sequences.length ? undefined : 'those are too few');
    ours.delete();
    google.delete();
  }
}
report.finish();
