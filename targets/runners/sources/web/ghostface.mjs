// A face network in ONNX Runtime Web: aligned faces in, embeddings out. The page and the pipeline's Node use this file.

/** Load a model, an ArrayBuffer or a Uint8Array, for WebAssembly. More than one thread needs a page that is isolated. */
export function load(ort, model, threads = 1) {
  ort.env.wasm.numThreads = threads;
  return ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
}

/** RGB bytes (count, S, S, 3) to the network's input: float32 (count, 3, S, S), (byte - mean) / scale. */
export function prepare(rgb, count, { mean, scale }) {
  const pixels = rgb.length / count / 3;
  const planes = new Float32Array(rgb.length);
  for (let face = 0; face < count; face++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let colour = 0; colour < 3; colour++) {
        planes[(face * 3 + colour) * pixels + pixel] = (rgb[(face * pixels + pixel) * 3 + colour] - mean) / scale;
      }
    }
  }
  return planes;
}

/** Infer once; the output tensor, for `embeddings` of the network its `data` has one embedding after the other. */
export async function infer(ort, session, planes, shape) {
  const outputs = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', planes, shape) });
  return outputs[session.outputNames[0]];
}

/** Cosine of two embeddings. */
export function score(one, other) {
  const dot = (a, b) => a.reduce((sum, value, place) => sum + value * b[place], 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}
