// Two photographs to a score and a verdict. All that the page knows of a network it reads from the datasheet beside it.

import * as ort from './ort.wasm.bundle.min.mjs';
import { infer, load, prepare, score } from './ghostface.mjs';
import { selftest } from './selftest.mjs';

const SIDE = 112;
const UNALIGNED =
  'Not an aligned face of 112 × 112 pixels: its middle was taken as it is, and the score says nothing of the person. ' +
  'ghostface-edge align makes aligned faces of photographs.';

const element = (id) => document.getElementById(id);
const say = (texts) => Object.entries(texts).forEach(([id, text]) => (element(id).textContent = text));
const faces = [...document.querySelectorAll('.face')];
let network;

async function fetched(name) {
  const response = await fetch(name, { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return response;
}

/** A loaded network, with what its datasheet says of input and thresholds. */
async function open(variant) {
  const sheet = await (await fetched(variant.datasheet)).json();
  const formula = sheet.input.normalization.match(/^x = \(pixel - ([\d.]+)\) \/ ([\d.]+)$/);
  if (!formula || sheet.input.colour !== 'RGB') throw new Error(`${variant.datasheet}: another input than this page's`);
  const model = await (await fetched(sheet.model)).arrayBuffer();
  const started = performance.now();
  const opened = {
    session: await load(ort, model),
    preprocessing: { mean: Number(formula[1]), scale: Number(formula[2]) },
    limit: Object.entries(sheet.thresholds).sort(([one], [other]) => one - other)[0],
  };
  await embed(new Uint8Array(SIDE * SIDE * 3), opened); // the first takes longer
  const took = performance.now() - started;
  say({ model: `${(model.byteLength / 1000).toFixed(0)} kB, ready after ${took.toFixed(0)} ms`, tested: '' });
  return opened;
}

/** Show an image, as it is if it is an aligned face, else its middle; whether it is one. */
async function show(canvas, image) {
  const bitmap = await createImageBitmap(image, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const side = Math.min(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  return width === SIDE && height === SIDE;
}

/** RGB bytes of what a canvas shows. */
function pixels(canvas) {
  const { data } = canvas.getContext('2d').getImageData(0, 0, SIDE, SIDE);
  return data.filter((_, place) => place % 4 !== 3);
}

/** The embedding of RGB bytes, and the milliseconds that it took. */
async function embed(rgb, { session, preprocessing } = network) {
  const started = performance.now();
  const { data } = await infer(ort, session, prepare(rgb, 1, preprocessing), [1, 3, SIDE, SIDE]);
  return { embedding: data, milliseconds: performance.now() - started };
}

async function compare() {
  const found = [];
  for (const face of faces) found.push(await embed(pixels(face.querySelector('canvas'))));
  const value = score(...found.map(({ embedding }) => embedding));
  const unaligned = faces.some((face) => face.dataset.aligned === 'false');
  const [far, threshold] = network.limit ?? [];
  const limit = threshold ? `threshold ${threshold.this_model.toFixed(4)} at FAR ${far}` : 'no threshold was measured';
  const said = value >= threshold?.this_model ? 'same person' : 'different people';
  const times = found.map(({ milliseconds }) => milliseconds.toFixed(1)).join(' and ');
  say({ score: value.toFixed(4), verdict: threshold && !unaligned ? said : 'no verdict' });
  say({ details: `${limit}; embeddings took ${times} ms`, warning: unaligned ? UNALIGNED : '' });
}

async function choose(variant) {
  say({ score: '', verdict: '', details: 'Loading the model …' });
  network = await open(variant);
  await compare();
}

async function take(face, image, name) {
  face.dataset.aligned = await show(face.querySelector('canvas'), image);
  face.querySelector('.name').textContent = name;
}

async function test({ embeddings, faces: names }) {
  const due = new Float32Array(await (await fetched(embeddings)).arrayBuffer());
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const embedded = async (name) => {
    await show(canvas, await (await fetched(name)).blob());
    return embed(pixels(canvas));
  };
  say({ tested: 'Testing …' });
  say({ tested: await selftest(names, due, embedded) });
}

/** One thing after the other; what goes wrong is said. */
let last = Promise.resolve();
const next = (work) => {
  const failed = (error) => say({ score: '', verdict: '', details: error.message ?? String(error) });
  last = last.then(work).catch(failed);
};

const variants = await (await fetched('variants.json')).json();
const chosen = () => variants[element('variant').selectedIndex];
element('variant').append(...variants.map(({ id }) => new Option(id)));
element('variant').onchange = () => next(() => choose(chosen()));
element('selftest').onclick = () => next(() => test(chosen()));
for (const [place, face] of faces.entries()) {
  const given = (file) => next(() => take(face, file, file.name).then(compare));
  face.querySelector('input').onchange = ({ target }) => target.files[0] && given(target.files[0]);
  face.ondragover = (event) => event.preventDefault();
  face.ondrop = (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) given(event.dataTransfer.files[0]);
  };
  next(async () => take(face, await (await fetched(variants[0].faces[place])).blob(), 'a rendered person'));
}
next(() => choose(chosen()));
next(() => (element('variant').disabled = element('selftest').disabled = false));
