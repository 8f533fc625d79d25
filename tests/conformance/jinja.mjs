// Our templates against two independent implementations, @huggingface/jinja and minijinja (which
// Google's engine renders with):
//   node jinja.mjs RENDER_TEMPLATES
// templates/*.jinja do what the chat templates of the model families do, each in its own way;
// each is rendered with every conversation of chats.json. expressions.txt holds the language piece
// by piece.
//
// Models were trained with a third one, Jinja2, and ours follows it. The two differ from it, and
// from each other, at the edges: they write true for True, one does not know some filters, the
// other misses methods of Python. So every text must be that of at least one of them, and where
// both refuse, ours must refuse, too.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import {Template} from '@huggingface/jinja';
import minijinja from 'minijinja-js';

const [program] = process.argv.slice(2);
const folder = new URL('templates/', import.meta.url);
const read = (name) => fs.readFileSync(new URL(name, folder), 'utf8');

const jobs = [];
const chats = Object.entries(JSON.parse(read('chats.json')));
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.jinja')).sort()) {
  for (const [chat, context] of chats) {
    const tokens = {bos_token: '<bos>', eos_token: '<eos>'};
    jobs.push({name: `${file}, ${chat}`, template: read(file), context: {...tokens, ...context}});
  }
}
const context = JSON.parse(read('expressions.json'));
for (const line of read('expressions.txt').trimEnd().split('\n')) {
  if (line.startsWith('# ')) continue;
  jobs.push({name: line, template: line.replaceAll('¶', '\n').replaceAll('↹', '\t'), context});
}

const engines = {
  '@huggingface/jinja': ({template, context}) => new Template(template).render(context),
  'minijinja': ({template, context}) => {
    const env = new minijinja.Environment();
    env.trimBlocks = true;
    env.lstripBlocks = true;
    env.enablePyCompat();
    // A call of raise_exception, which it does not know, ends the rendering as it should.
    return env.renderStr(template, context);
  },
};

function render(engine, job) {
  try {
    return engine(job);
  } catch {
    return undefined;
  }
}

const result = spawnSync(program, [], {
  input: jobs.map(({template, context}) => JSON.stringify({template, context}) + '\n').join(''),
  maxBuffer: 1 << 28, encoding: 'utf8',
});
if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr}`);
const ours = result.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));

const plain = (text) => text?.replace(/True|False|None/g, (word) => word.toLowerCase());
const agreeing = Object.fromEntries(Object.keys(engines).map((name) => [name, 0]));
let texts = 0, refused = 0, failed = 0;
jobs.forEach((job, i) => {
  const theirs = Object.entries(engines).map(([name, engine]) => [name, render(engine, job)]);
  const same = theirs.filter(([, text]) => plain(text) === plain(ours[i].text));
  if (same.length === 0) {
    ++failed;
    console.log(job.name);
    for (const [name, text] of theirs) console.log(`  ${name}: ${JSON.stringify(text)}`);
    console.log(`  ours: ${JSON.stringify(ours[i])}`);
  } else if (ours[i].error) {
    ++refused;
  } else {
    ++texts;
    for (const [name] of same) ++agreeing[name];
  }
});
for (const [name, count] of Object.entries(agreeing)) console.log(`${count} of ${texts} texts are those of ${name}`);
console.log(`${refused} inputs are refused; ${failed} of ${jobs.length} pairs differ from both`);
process.exit(failed === 0 && agreeing['@huggingface/jinja'] >= 300 ? 0 : 1);
