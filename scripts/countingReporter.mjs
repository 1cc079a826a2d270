// mocha's own reporter, which also leaves the counts in the file that REPRISE_TEST_COUNTS names: scripts/test.mjs reads
// them there, so that a test that prints or ends the process cannot fake or hide a result.

import fs from "node:fs";
import Mocha from "mocha";

const { EVENT_RUN_END } = Mocha.Runner.constants;
const Base = process.env.REPRISE_TEST_REPORTER === "dot" ? Mocha.reporters.Dot : Mocha.reporters.Spec;

export default class CountingReporter extends Base {
  constructor(runner, options) {
    super(runner, options);
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      fs.writeFileSync(process.env.REPRISE_TEST_COUNTS, JSON.stringify({ passes, failures, pending }));
      setTimeout(() => {
        process.stdout.write(`still open: ${process.getActiveResourcesInfo().join(", ")}\n`);
      }, 5000).unref();
    });
  }
}
