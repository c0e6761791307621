/** Resolves ms milliseconds later. */
export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Resolves to what promise does, unless that takes longer than ms: then it fails with error. What was begun goes on. */
export function within(ms, promise, error) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(error), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
