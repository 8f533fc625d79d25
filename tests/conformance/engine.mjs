// node engine.mjs LITERT_LM_CLI
// Google's LiteRT-LM engine loads every file that we convert, and answers word for word as we do.
import fs from 'node:fs';
import {lastLogLines, loadEngine} from './lib/host.mjs';
import {codings, fixtures, Program, readReference, Report} from './lib/program.mjs';

const MAX_TOKENS = 240;
const program = new Program(process.argv[2]);
const report = new Report();
const lm = await loadEngine();

// Sampling "TOP_P" among one token is greedy. The engine's WebAssembly refuses the type GREEDY.
const session = {
  samplerParams: {type: lm.SamplerType.TOP_P, k: 1, p: 1, temperature: 1, seed: 0},
  maxOutputTokens: MAX_TOKENS,
};
const textOf = (message) => typeof message.content === 'string' ?
    message.content : (message.content ?? []).map((part) => part.text ?? '').join('');

/** The engine's answers to the user messages, one after the other, in one conversation. */
async function converse(engine, messages) {
  const system = messages.filter((message) => message.role === 'system');
  const conversation = await engine.createConversation(
      {sessionConfig: session, ...(system.length ? {preface: {messages: system}} : {})});
  const answers = [];
  for (const message of messages.filter((m) => m.role === 'user')) {
    answers.push(textOf(await conversation.sendMessage(message.content)));
  }
  await conversation.delete();
  return answers;
}

async function complete(engine, text) {
  const s = await engine.createSession({...session, applyPromptTemplateInSession: false});
  await s.runPrefill([text]);
  const [answer] = (await s.runDecode()).getTexts();
  await s.delete();
  return answer;
}

// Google's engine returns a thought as part of the text; we tell it apart, and leave an empty one out.
const withoutEmptyThought = (text) => text.replace(/^<think>\n\n<\/think>\n\n/, '');
const withThought = ({thought, text}) =>
    thought === undefined ? text : `<think>\n${thought}\n</think>\n\n${text}`;

const sameText = (google, ours) =>
    google === ours ? undefined : `Google: ${JSON.stringify(google)}\n  ours:   ${JSON.stringify(ours)}`;

// Long enough for several prefill chunks and many sliding windows. The models were not trained on
// such a text and go on with little confidence: where activations are coded, one that rounds the
// other way (see codes.mjs) is enough for another answer, so it is left to the other codings.
const longText = Array.from({length: 60}, (_, i) => `The capital of Italy is Rome ${i}.`).join(' ');

for (const fixture of fixtures) {
  const {prompts} = readReference(fixture);
  // What a template variable or a fixed answer of an earlier turn would change is left to
  // reference_test: a conversation with Google's engine cannot be given either.
  const chats = prompts.filter((p) => p.kind === 'chat' && p.enable_thinking === undefined);
  const single = chats.filter((p) => p.messages.filter((m) => m.role === 'user').length === 1);
  const several = chats.filter((p) => !single.includes(p) &&
      p.messages.every((m) => m.role !== 'assistant' || !m.content.includes('<think>')));

  for (const coding of codings) {
    const file = program.convert(fixture, coding);
    let engine;
    await report.check(`${fixture} ${coding}: Google's engine loads the file`, async () => {
      engine = await lm.Engine.create({
        model: new Blob([fs.readFileSync(file)]), backend: lm.Backend.CPU, mainExecutorSettings: {},
      });
    });
    if (!engine) {
      process.stdout.write(`  ${lastLogLines()}\n`);
      continue;
    }
    await report.check(`${fixture} ${coding}: ${single.length} chats`, async () => {
      for (const {prompt, messages} of single) {
        const system = messages.find((m) => m.role === 'system')?.content;
        const ours = program.answer(file, '--prompt', prompt, '--max-tokens', String(MAX_TOKENS),
                                    ...(system ? ['--system', system] : []));
        const problem = sameText(withoutEmptyThought((await converse(engine, messages))[0]), withThought(ours));
        if (problem) return `${prompt}\n  ${problem}`;
      }
    });
    await report.check(`${fixture} ${coding}: chats of two turns`, async () => {
      let compared = 0;
      for (const {messages, ids} of several) {
        const answers = await converse(engine, messages);
        const given = messages.filter((m) => m.role === 'assistant').map((m) => m.content);
        // Our side is given the earlier answers, so they must be those that Google's engine gave;
        // some talks of the reference have answers that no model gave.
        if (given.some((text, i) => text !== answers[i])) continue;
        const ours = program.answer(file, '--ids', ids.join(','), '--max-tokens', String(MAX_TOKENS));
        const problem = sameText(answers.at(-1), ours.text);
        if (problem) return problem;
        compared++;
      }
      if (compared === 0) return 'no talk could be compared';
    });
    await report.check(`${fixture} ${coding}: text without a template, short and long`, async () => {
      for (const text of ['The capital of Italy is', 'Tell me', ...(coding.startsWith('dynamic') ? [] : [longText])]) {
        const ours = program.answer(file, '--raw', '--prompt', text, '--max-tokens', String(MAX_TOKENS));
        const problem = sameText(await complete(engine, text), ours.text);
        if (problem) return problem;
      }
    });
    await engine.delete();
  }
}
report.finish();
