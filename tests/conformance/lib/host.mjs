// Lets Google's WebAssembly packages, made for browsers, start under Node. Their loaders call a
// worker's importScripts() and expect it to define ModuleFactory; the code they load has a branch
// for Node, which wants `require` and `__dirname`.
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import {createRequire} from 'node:module';
import {fileURLToPath, pathToFileURL} from 'node:url';

globalThis.self ??= globalThis;
globalThis.importScripts = (url) => {
  const file = String(url).startsWith('file:') ? fileURLToPath(url) : String(url);
  const load = vm.compileFunction(`${fs.readFileSync(file, 'utf8')}\n;return ModuleFactory;`,
                                  ['require', '__dirname', '__filename', 'module', 'exports'],
                                  {filename: file});
  globalThis.ModuleFactory =
      load(createRequire(pathToFileURL(file)), path.dirname(file), file, {exports: {}}, {});
};

const require = createRequire(import.meta.url);
const wasmFolder = (name) => path.join(path.dirname(require.resolve(name)), '..', 'wasm');

// The engines log through console; what they say matters only where something fails.
const logged = [];
for (const level of ['log', 'info', 'debug', 'warn', 'error']) {
  console[level] = (...words) => logged.push(words.join(' '));
}
export const lastLogLines = (count = 5) => logged.slice(-count).join('\n');
/** What was logged as an error since the last call. */
export const takeLoggedErrors = () => logged.splice(0).filter((line) => line.includes('ERROR')).join('\n');

/** The LiteRT-LM engine: tokenizes, prefills, decodes. */
export async function loadEngine() {
  const engine = await import('@litert-lm/core');
  // The "asyncify" build needs no JavaScript Promise Integration, which Node 20 lacks.
  await engine.loadLiteRtLm(
      path.join(wasmFolder('@litert-lm/core'), 'litertlm_wasm_compat_asyncify_internal.js'));
  return engine;
}

/** The LiteRT runtime: runs single signatures of a TFLite model. */
export async function loadRuntime() {
  const runtime = await import('@litertjs/core');
  // The build without relaxed SIMD, on every Node: the same bits on every processor.
  await runtime.loadLiteRt(
      path.join(wasmFolder('@litertjs/core'), 'litert_wasm_compat_internal.js'), {threads: false});
  return runtime;
}
