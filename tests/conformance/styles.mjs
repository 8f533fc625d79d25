// node styles.mjs LITERT_LM_CLI WRITE_STYLED_MODEL
// Files in the styles of other exporters (tests/styles), of five families: Google's LiteRT runtime
// gives the logits that we compute, and Google's LiteRT-LM engine answers word for word as we do.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {readTfliteModels} from './lib/container.mjs';
import {compare, SignatureDriver} from './lib/driver.mjs';
import {loadEngine, loadRuntime} from './lib/host.mjs';
import {readNpy} from './lib/npy.mjs';
import {Program, readReference, Report} from './lib/program.mjs';

const TOLERANCE = 1e-4;
const PREFILL = 32;
const MAX_TOKENS = 100;
const TEXTS = ['The capital of Italy is', 'Tell me'];
// What Google's engine does not take, and what it says then. Without a mask it takes the third
// dimension of a cache for the context, which is the number of heads where rows come first; of an
// embedder it takes the first signature; split caches are for NPUs.
const NO_CONTEXT = /Exceeding the maximum number of tokens allowed/;
const NO_POSITIONS = /Input tensor not found/;
// Lengths with which open shapes are drawn (tests/styles/styled_shapes.h): it cannot resize inputs.
const OPEN = {signature: 'prefill', prompt: 13, positions: 97};
const REFUSED = {
  classic_rows_first_no_mask: NO_CONTEXT,
  classic_attention_composite_no_mask: NO_CONTEXT,
  export_hf_embedder_all_lengths: /Input tensor bytes must be 4 but got/,
  export_hf_split_cache: NO_POSITIONS,
  export_hf_split_cache_valid_mask: NO_POSITIONS,
};
// Its WebAssembly build reads .litertlm files only.
const NO_BUNDLE = /Invalid magic number or failed to read/;
const program = new Program(process.argv[2]);
const report = new Report();
const rt = await loadRuntime();
const lm = await loadEngine();

function writer(...args) {
  const result = spawnSync(path.resolve(process.argv[3]), args, {encoding: 'utf8'});
  if (result.status !== 0) throw new Error(`write_styled_model ${args.join(' ')}\n  ${result.stderr}`);
  return result.stdout;
}

/** What is wrong with our logits after a chunk of `prompt` tokens and each token that follows. */
async function logitsProblem(file, ids, signature = `prefill_${PREFILL}`, prompt = PREFILL) {
  const npy = path.join(program.folder, 'logits.npy');
  program.run('logits', file, '--ids', ids.join(','), '--out', npy, '--kv-cache-type', 'f32');
  const ours = readNpy(npy);
  const driver = new SignatureDriver(rt, readTfliteModels(file));
  await driver.load();
  try {
    await driver.call(signature, ids.slice(0, prompt), 0);
    for (let position = prompt; position < ids.length; position++) {
      const {logits} = await driver.call('decode', [ids[position]], position);
      const {difference} = compare(logits, ours.values.subarray(position * ours.columns, (position + 1) * ours.columns));
      if (!(difference <= TOLERANCE)) return `position ${position}: they differ by ${difference}`;
    }
  } finally {
    driver.delete();
  }
}

const openEngine = (file) => lm.Engine.create({
  model: new Blob([fs.readFileSync(file)]), backend: lm.Backend.CPU, mainExecutorSettings: {},
});

async function answersProblem(file) {
  const engine = await openEngine(file);
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

/** What is wrong unless Google's engine refuses the file in these words. */
async function refusalProblem(file, words) {
  const refusal = await answersProblem(file).catch((error) => error);
  if (!(refusal instanceof Error)) return refusal ?? 'it is accepted and answered alike: compare it';
  if (!words.test(refusal.message)) return refusal.message;
}

for (const line of writer().trim().split('\n')) {
  const [family, style, fixture] = line.split(' ');
  if (/custom_operators|bare_composites/.test(style)) continue;  // Names without a decomposition.
  const file = path.join(program.folder, `${family}-${style}.litertlm`);
  const {ids} = readReference(fixture).logits.find((sequence) => sequence.ids.length > PREFILL);
  writer(family, style, 'none', file);
  // The runtime has no tensors of f16 or bool.
  if (!/half|bool|valid/.test(style)) {
    const open = /open_shapes/.test(style);
    await report.check(`${family} ${style}: logits`, () => open ?
        logitsProblem(file, ids.slice(0, OPEN.positions), OPEN.signature, OPEN.prompt) : logitsProblem(file, ids));
  }
  if (style in REFUSED) {
    await report.check(`${family} ${style}: refused by Google's engine`, () => refusalProblem(file, REFUSED[style]));
  } else {
    await report.check(`${family} ${style}: answers of Google's engine`, () => answersProblem(file));
  }
  fs.rmSync(file);
}
await report.check('bundles are refused by Google\'s engine', () => {
  const file = path.join(program.folder, 'bundle.task');
  writer('qwen3', 'export_hf', 'none', file);
  return refusalProblem(file, NO_BUNDLE);
});
report.finish();
