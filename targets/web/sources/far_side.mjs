// The far side in Node: one model in ONNX Runtime Web, asked over standard streams as targets/places/wire.py says.
// Started with the folder of the environment, in whose node_modules ONNX Runtime Web lies.

import { readFileSync, readSync, readdirSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { infer, load, prepare } from '../../runners/sources/web/ghostface.mjs';

const REQUESTS = 0;
const ANSWERS = 1;
const DTYPES = { float32: '<f4', float64: '<f8', int8: '|i1', uint8: '|u1', int32: '<i4', int64: '<i8', bool: '|b1' };

const folder = process.argv[2];
const require = createRequire(join(folder, 'package.json'));

/** What `Inference` of targets/places/inference.py offers, for exactly one batch of faces at a time. */
class Inference {
  constructor({ imports = [], mean, scale }) {
    imports.forEach(require);
    this.preprocessing = { mean, scale };
  }

  async load({ artifact, threads }) {
    this.ort = require('onnxruntime-web');
    const started = performance.now();
    try {
      this.session = await load(this.ort, readFileSync(artifact), threads);
    } catch (error) {
      throw new Refusal(`${artifact}: ONNX Runtime Web does not load it: ${error.message ?? error}`);
    }
    return performance.now() - started;
  }

  embed({ faces }) {
    return this.tensor({ faces });
  }

  tensor({ faces }) {
    return this.#infer(this.#prepared(faces), faces.shape);
  }

  async time({ face, runs }) {
    const planes = this.#prepared(face);
    const samples = [];
    for (let run = 0; run < runs; run++) {
      const started = performance.now();
      await this.#infer(planes, face.shape);
      samples.push(performance.now() - started);
    }
    return samples;
  }

  peak_rss_mb() {
    return process.resourceUsage().maxRSS / 1024;
  }

  /** Of the installed packages, as `Inventory` of targets/places/inventory.py tells it. */
  versions() {
    const modules = join(folder, 'node_modules');
    const packages = readdirSync(modules)
      .filter((name) => !name.startsWith('.'))
      .flatMap((name) => (name[0] === '@' ? readdirSync(join(modules, name)).map((part) => `${name}/${part}`) : [name]));
    const version = (name) => JSON.parse(readFileSync(join(modules, name, 'package.json'))).version;
    return Object.fromEntries(packages.map((name) => [name, version(name)]));
  }

  #prepared({ data, shape }) {
    return prepare(data, shape[0], this.preprocessing);
  }

  #infer(planes, [count, height, width, colours]) {
    return infer(this.ort, this.session, planes, [count, colours, height, width]);
  }
}

/** What the model is refused for. */
class Refusal extends Error {}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** Node's pipes do not block: what the other side is too slow for is tried again a millisecond later. */
function patiently(pass) {
  for (;;) {
    try {
      return pass();
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(PAUSE, 0, 0, 1);
    }
  }
}

function read(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const count = patiently(() => readSync(REQUESTS, bytes, at, size - at));
    if (count === 0) process.exit(0);
    at += count;
  }
  return bytes;
}

/** The next message; its arrays, which are bytes of faces, stand where the header names them. */
function receive() {
  const header = JSON.parse(read(read(4).readUInt32LE()));
  const arrays = header.arrays.map(([, shape]) => ({ data: read(shape.reduce((a, b) => a * b, 1)), shape }));
  const filled = Object.entries(header.arguments).map(([name, value]) => [name, arrays[value?.array] ?? value]);
  return { ...header, arguments: Object.fromEntries(filled) };
}

function send(header, tensor) {
  const arrays = tensor ? [[DTYPES[tensor.type], tensor.dims]] : [];
  const text = Buffer.from(JSON.stringify({ ...header, arrays }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const data = tensor ? [Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength)] : [];
  for (const part of [length, text, ...data]) {
    for (let at = 0; at < part.length; ) at += patiently(() => writeSync(ANSWERS, part, at));
  }
}

console.log = console.info = console.debug = console.error; // standard output is the answers'
const opening = receive();
let served;
for (;;) {
  const request = receive();
  try {
    served ??= new Inference(opening.arguments);
    const result = await served[request.call](request.arguments);
    if (result?.dims) send({ done: { array: 0 } }, result);
    else send({ done: result });
  } catch (error) {
    if (error.code === 'EPIPE') process.exit(0);
    console.error(error);
    const fix = 'convert the model again';
    if (error instanceof Refusal) send({ refused: { error: 'InputError', message: error.message, fix } });
    else send({ failed: String(error?.message ?? error) });
  }
}
