// Times npm's fhirpath: a task on standard input, answers on standard output (see bench/peers/__init__.py).
'use strict';
const fhirpath = require('fhirpath');
const r4 = require('fhirpath/fhir-context/r4');

function median(work, seconds) {
  // A warm-up as long as the measurement: V8 compiles what runs often.
  const warm = performance.now() + seconds * 1000;
  while (performance.now() < warm) work();
  const times = [];
  const end = performance.now() + seconds * 1000;
  while (times.length < 20 || performance.now() < end) {
    const start = process.hrtime.bigint();
    work();
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}

const task = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answers = task.cases.map(({ text, over }) => {
  try {
    const document = task.documents[over];
    const run = fhirpath.compile(text, r4);
    const answer = JSON.parse(JSON.stringify(run(document, { resource: document })));
    return {
      answer,
      evaluate: median(() => run(document, { resource: document }), task.seconds),
      compile: median(() => fhirpath.compile(text, r4), task.seconds / 4),
    };
  } catch (error) {
    return { error: String(error) };
  }
});
process.stdout.write(JSON.stringify(answers));
