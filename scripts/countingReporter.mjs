// mocha's own reporter, which also keeps a journal in the file that REPRISE_TEST_JOURNAL names, one JSON line per event:
// scripts/testProcess.mjs reads results there, so that a test that prints or ends the process cannot fake or hide one.

import fs from "node:fs";
import path from "node:path";
import Mocha from "mocha";

const { EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_BEGIN, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;
const { EVENT_RUN_END } = Mocha.Runner.constants;
const Base = process.env.REPRISE_TEST_REPORTER === "dot" ? Mocha.reporters.Dot : Mocha.reporters.Spec;
const stillOpenAfterMs = 5000;
const mostErrorText = 4000;

function write(entry) {
  fs.appendFileSync(process.env.REPRISE_TEST_JOURNAL, `${JSON.stringify({ atMs: Date.now(), ...entry })}\n`);
}

/** As the journal names it: relative to the project, like the arguments of mocha. */
function fileOf(runnable) {
  return runnable.file === undefined ? null : path.relative(process.cwd(), runnable.file);
}

/** Of a test that failed; the process may not live to print it. */
function textOf(error) {
  return error === undefined ? undefined : String(error?.stack ?? error).slice(0, mostErrorText);
}

export default class CountingReporter extends Base {
  constructor(runner, options) {
    super(runner, options);
    const noteTest = (event) => (test, error) =>
      write({ event, file: fileOf(test), title: test.fullTitle(), error: textOf(error) });
    runner.on(EVENT_TEST_BEGIN, noteTest("begin"));
    runner.on(EVENT_TEST_PASS, noteTest("pass"));
    runner.on(EVENT_TEST_FAIL, noteTest("fail"));
    runner.on(EVENT_TEST_PENDING, noteTest("pending"));
    for (const [name, event] of [
      [EVENT_SUITE_BEGIN, "open"],
      [EVENT_SUITE_END, "close"],
    ]) {
      runner.on(name, (suite) => suite.parent?.root && write({ event, file: fileOf(suite) }));
    }
    runner.once(EVENT_RUN_END, () => {
      write({ event: "end" });
      setTimeout(() => {
        process.stdout.write(`still open: ${process.getActiveResourcesInfo().join(", ")}\n`);
      }, stillOpenAfterMs).unref();
    });
  }
}
