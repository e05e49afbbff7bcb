// node check.mjs TREE [build|dev]: the checks that ./run makes, and their count.

import { build } from "./build.mjs";
import { dev } from "./dev.mjs";

const [tree, only] = process.argv.slice(2);
const counts = { passed: 0, failed: 0 };

async function check(name, body) {
  try {
    await body();
    counts.passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    counts.failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}

for (const [name, part] of Object.entries({ build, dev })) {
  // A part that cannot even start is one failure; the other one is still worth a look.
  if (!only || only === name) await part(tree, check).catch((error) => check(name, () => { throw error; }));
}

console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
