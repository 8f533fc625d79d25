// Hugging Face's own client against the server that our tests use: what that server speaks must be
// their protocol, and not our idea of it.
//
//   node hub.mjs HUB_SERVER

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {once} from 'node:events';
import {
  downloadFile, fileDownloadInfo, fileExists, listFiles, listModels, modelInfo, pathsInfo,
  snapshotDownload,
} from '@huggingface/hub';

const testdata = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname),
                           '../../testdata');
const kRepositories = {'Qwen/Tiny-Qwen3': 'tiny-qwen3', 'Qwen/Tiny-Sharded': 'tiny-qwen3-sharded'};
const kGated = 'google/tiny-gemma3';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'litertlm-hub-'));
const server = spawn(process.argv[2], [
  '--page-size', '3',
  ...Object.entries(kRepositories).map(([name, dir]) => `${name}=${path.join(testdata, dir)}`),
  '--gated', `${kGated}=${path.join(testdata, 'tiny-gemma3')}`,
], {stdio: ['pipe', 'pipe', 'inherit']});

const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');
const filesOf = dir => fs.readdirSync(dir, {recursive: true, withFileTypes: true})
  .filter(entry => entry.isFile() || entry.isSymbolicLink())
  .map(entry => path.relative(dir, path.join(entry.parentPath ?? entry.path, entry.name)))
  .sort();

try {
  const hubUrl = String((await once(server.stdout, 'data'))[0]).trim();

  for (const [repo, dir] of Object.entries(kRepositories)) {
    const source = path.join(testdata, dir);
    const expected = filesOf(source);
    const listed = [];
    for await (const entry of listFiles({repo, hubUrl, recursive: true})) {
      const bytes = fs.readFileSync(path.join(source, entry.path));
      assert.equal(entry.size, bytes.length, entry.path);
      if (entry.lfs) assert.equal(entry.lfs.oid, sha256(bytes), entry.path);
      const info = await fileDownloadInfo({repo, hubUrl, path: entry.path});
      assert.equal(info.size, bytes.length, entry.path);
      const blob = await downloadFile({repo, hubUrl, path: entry.path});
      assert.deepEqual(Buffer.from(await blob.arrayBuffer()), bytes, entry.path);
      listed.push(entry.path);
    }
    assert.deepEqual(listed.sort(), expected);

    const [weights] = await pathsInfo({repo, hubUrl, paths: [listed.find(p => /safetensors$/.test(p))]});
    assert.match(weights.lfs.oid, /^[0-9a-f]{64}$/);
    const info = await modelInfo({name: repo, hubUrl, additionalFields: ['sha']});
    assert.match(info.sha, /^[0-9a-f]{40}$/);

    const snapshot = await snapshotDownload({repo, hubUrl, cacheDir: path.join(folder, dir)});
    assert.deepEqual(filesOf(snapshot), expected);
    for (const file of expected) {
      assert.deepEqual(fs.readFileSync(path.join(snapshot, file)),
                       fs.readFileSync(path.join(source, file)), file);
    }
    console.log(`${repo}: listed, downloaded and cached ${expected.length} files`);
  }

  const found = [];
  for await (const model of listModels({hubUrl, search: {query: 'tiny', owner: 'Qwen'}})) {
    found.push(model.name);
  }
  assert.deepEqual(found.sort(), Object.keys(kRepositories).sort());

  // Refusals, as that client reads them.
  const refusal = async (status, action) =>
    assert.rejects(action, error => (assert.equal(error.statusCode, status, error.message), true));
  const at = {hubUrl, path: 'config.json'};
  await refusal(401, () => fileDownloadInfo({...at, repo: kGated}));
  await refusal(403, () => fileDownloadInfo({...at, repo: kGated, accessToken: 'hf_reader'}));
  assert.ok(await fileDownloadInfo({...at, repo: kGated, accessToken: 'hf_member'}));
  await refusal(401, () => modelInfo({hubUrl, name: 'Qwen/Nothing'}));
  await refusal(404, () => modelInfo({hubUrl, name: 'Qwen/Nothing', accessToken: 'hf_reader'}));
  await refusal(404, () => modelInfo({hubUrl, name: 'Qwen/Tiny-Qwen3', revision: 'v9'}));
  assert.equal(await fileExists({repo: 'Qwen/Tiny-Qwen3', hubUrl, path: 'absent.bin'}), false);
  console.log('refusals: as on the hub');
} finally {
  server.stdin.end();
  fs.rmSync(folder, {recursive: true, force: true});
}
