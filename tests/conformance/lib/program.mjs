// Calls of the program under test, and the checks' report.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const fixtures = ['tiny-qwen3', 'tiny-gemma3'];
export const codings = [
  'none', 'fp16', 'int8', 'dynamic_int8', 'dynamic_int4_block32', 'dynamic_int4_block128',
];
export const readReference = (fixture) =>
    JSON.parse(fs.readFileSync(path.join(root, 'testdata', fixture, 'reference.json'), 'utf8'));

/** litert-lm-cli, in a temporary folder that is removed when the process ends. */
export class Program {
  constructor(binary) {
    this.binary = path.resolve(binary);
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'litertlm-conformance-'));
    process.on('exit', () => fs.rmSync(this.folder, {recursive: true, force: true}));
  }

  run(...args) {
    const result = spawnSync(this.binary, args, {encoding: 'utf8', input: '', maxBuffer: 1 << 28});
    if (result.status !== 0) {
      throw new Error(`litert-lm-cli ${args.join(' ')}\n  ${result.stderr ?? result.error}`);
    }
    return result.stdout;
  }

  /** The path of the fixture's file in that coding; `options` are further flags of `convert`. */
  convert(fixture, coding, ...options) {
    const folder = path.join(this.folder, coding);
    const file = path.join(folder, `${fixture}.litertlm`);
    if (!fs.existsSync(file)) {
      this.run('convert', path.join(root, 'testdata', fixture), '--quantize', coding,
               '--output-dir', folder, ...options);
    }
    return file;
  }

  /** Greedy answer: {ids, text, stop}. */
  answer(file, ...args) {
    return JSON.parse(this.run('run', file, '--temperature', '0', '--json', ...args));
  }
}

/** One line for each check, a summary, and the exit status. */
export class Report {
  passed = 0;
  failed = 0;

  async check(name, body) {
    const started = performance.now();
    let problem;
    try {
      problem = await body();
    } catch (error) {
      problem = error?.message ?? String(error);
    }
    if (problem) this.failed++; else this.passed++;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(problem ? `FAILED  ${name}\n  ${problem}\n` : `ok      ${name} (${seconds} s)\n`);
  }

  /** Ends the process: Google's engines keep it alive otherwise. */
  finish() {
    process.stdout.write(`${this.passed} of ${this.passed + this.failed} checks passed\n`);
    process.exit(this.failed || !this.passed ? 1 : 0);
  }
}
