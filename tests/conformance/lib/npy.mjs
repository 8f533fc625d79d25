// NumPy's .npy format, as far as a float32 matrix needs it.
import fs from 'node:fs';

/** {rows, columns, values} of a float32 matrix. */
export function readNpy(path) {
  const file = fs.readFileSync(path);
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, start);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
  if (!shape || !header.includes('\'<f4\'')) throw new Error(`${path} is not a float32 matrix`);
  return {
    rows: +shape[1],
    columns: +shape[2],
    values: new Float32Array(Uint8Array.from(file.subarray(start)).buffer),
  };
}
