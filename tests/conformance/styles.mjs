// node styles.mjs LITERT_LM_CLI WRITE_STYLED_MODEL
// Files in the styles of other exporters (tests/styles): Google's LiteRT runtime gives the logits
// that we compute, and Google's LiteRT-LM engine answers word for word as we do.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {readTfliteModel} from './lib/container.mjs';
import {compare, SignatureDriver} from './lib/driver.mjs';
import {loadEngine, loadRuntime} from './lib/host.mjs';
import {readNpy} from './lib/npy.mjs';
import {fixtures, Program, readReference, Report, root} from './lib/program.mjs';

const TOLERANCE = 1e-4;
const PREFILL = 32;
const MAX_TOKENS = 100;
const TEXTS = ['The capital of Italy is', 'Tell me'];
// Without a mask Google's engine takes the third dimension of a cache for the context, which is
// the number of heads where rows come first; of an embedder it takes the first signature; split
// caches are for NPUs.
const REFUSED = [
  'classic_rows_first_no_mask', 'classic_attention_composite_no_mask', 'export_hf_embedder_all_lengths',
  'export_hf_split_cache', 'export_hf_split_cache_valid_mask',
];
const program = new Program(process.argv[2]);
const report = new Report();
const rt = await loadRuntime();
const lm = await loadEngine();

function writer(...args) {
  const result = spawnSync(path.resolve(process.argv[3]), args, {encoding: 'utf8'});
  if (result.status !== 0) throw new Error(`write_styled_model ${args.join(' ')}\n  ${result.stderr}`);
  return result.stdout;
}

async function logitsProblem(file, ids) {
  const npy = path.join(program.folder, 'logits.npy');
  program.run('logits', file, '--ids', ids.join(','), '--out', npy, '--kv-cache-type', 'f32');
  const ours = readNpy(npy);
  const driver = new SignatureDriver(rt, readTfliteModel(file));
  await driver.load();
  try {
    await driver.call(`prefill_${PREFILL}`, ids.slice(0, PREFILL), 0);
    for (let position = PREFILL; position < ids.length; position++) {
      const {logits} = await driver.call('decode', [ids[position]], position);
      const {difference} = compare(logits, ours.values.subarray(position * ours.columns, (position + 1) * ours.columns));
      if (!(difference <= TOLERANCE)) return `position ${position}: they differ by ${difference}`;
    }
  } finally {
    driver.delete();
  }
}

async function answersProblem(file) {
  const engine = await lm.Engine.create({
    model: new Blob([fs.readFileSync(file)]), backend: lm.Backend.CPU, mainExecutorSettings: {},
  });
  try {
    for (const text of TEXTS) {
      // Sampling "TOP_P" among one token is greedy.
      const session = await engine.createSession({
        samplerParams: {type: lm.SamplerType.TOP_P, k: 1, p: 1, temperature: 1, seed: 0},
        maxOutputTokens: MAX_TOKENS, applyPromptTemplateInSession: false,
      });
      await session.runPrefill([text]);
      const [google] = (await session.runDecode()).getTexts();
      await session.delete();
      const ours = program.answer(file, '--raw', '--prompt', text, '--max-tokens', String(MAX_TOKENS)).text;
      if (google !== ours) return `Google: ${JSON.stringify(google)}\n  ours:   ${JSON.stringify(ours)}`;
    }
  } finally {
    await engine.delete();
  }
}

for (const style of writer().trim().split('\n').filter((name) => name !== 'ours')) {
  for (const fixture of fixtures) {
    const file = path.join(program.folder, `${fixture}-${style}.litertlm`);
    const {ids} = readReference(fixture).logits.find((sequence) => sequence.ids.length > PREFILL);
    writer(path.join(root, 'testdata', fixture), style, 'none', file);
    // The runtime has no tensors of f16 or bool.
    if (!/half|bool|valid/.test(style)) {
      await report.check(`${fixture} ${style}: logits`, () => logitsProblem(file, ids));
    }
    if (!REFUSED.includes(style)) {
      await report.check(`${fixture} ${style}: answers of Google's engine`, () => answersProblem(file));
    }
    fs.rmSync(file);
  }
}
report.finish();
