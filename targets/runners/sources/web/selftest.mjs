// The rendered faces that ship beside the page, against what Node computed for them.

import { score } from './ghostface.mjs';

const TIMED_ROUNDS = 8;

/** What is to be said of the browser, given names of faces, the embeddings that are due, and how to get one's. */
export async function selftest(names, due, embedded) {
  const size = due.length / names.length;
  const times = [];
  const cosines = [];
  let equal = true;
  for (let round = 0; round < TIMED_ROUNDS; round++) {
    for (const [place, name] of names.entries()) {
      const { embedding, milliseconds } = await embedded(name);
      const expected = due.subarray(place * size, (place + 1) * size);
      equal &&= embedding.every((value, at) => value === expected[at]);
      cosines.push(score(embedding, expected));
      times.push(milliseconds);
    }
  }
  const lowest = `other embeddings than Node computed, lowest cosine ${Math.min(...cosines).toFixed(6)}`;
  const said = equal ? 'the very embeddings that Node computed' : lowest;
  const median = times.sort((one, other) => one - other)[times.length / 2];
  return `${names.length} faces: ${said}; ${median.toFixed(1)} ms, the median of ${times.length}`;
}
