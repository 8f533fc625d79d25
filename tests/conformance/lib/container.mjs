// Finds the sections of a .litertlm file: docs/format.md describes the bytes.
import fs from 'node:fs';

const TFLITE_MODEL = 3;

/** The bytes of each of the TFLite models in the file at `path`. */
export function readTfliteModels(path) {
  const file = fs.readFileSync(path);
  const header = file.subarray(32, Number(file.readBigUInt64LE(24)));
  const follow = (at) => at + header.readUInt32LE(at);
  // Position of a table's field, or 0 where the table leaves it out.
  const field = (table, id) => {
    const vtable = table - header.readInt32LE(table);
    const slot = 4 + 2 * id;
    const offset = slot < header.readUInt16LE(vtable) ? header.readUInt16LE(vtable + slot) : 0;
    return offset && table + offset;
  };
  const models = [];
  const sections = follow(field(follow(field(follow(0), 1)), 0));
  for (let i = 0; i < header.readUInt32LE(sections); i++) {
    const section = follow(sections + 4 + 4 * i);
    if (header[field(section, 3)] !== TFLITE_MODEL) continue;
    const [begin, end] = [1, 2].map((id) => Number(header.readBigUInt64LE(field(section, id))));
    models.push(new Uint8Array(file.subarray(begin, end)));
  }
  return models;
}
