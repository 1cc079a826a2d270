// Called by the extension host: mocha over the bundled suites, results to a file. A suite fails, too, when our extension tells of a bug.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import Mocha from "mocha";
import { facts } from "./hostFacts.js";

export async function run(): Promise<void> {
  const output = process.env.REPRISE_HOST_REPORT;
  const mocha = new Mocha({ ui: "bdd", timeout: 60_000, color: false, reporter: "json", reporterOptions: { output } });
  for (const suite of facts.suites) mocha.addFile(suite);
  await mocha.loadFilesAsync();
  for (const suite of mocha.suite.suites) failOnBugs(suite);
  const failures = await new Promise<number>((resolve, reject) => {
    try {
      mocha.run(resolve);
    } catch (error) {
      reject(error);
    }
  });
  if (failures > 0) throw new Error(`${failures} tests failed`);
}

/** A command catches what it fails with, and shows it: nothing else says so to its caller. */
function failOnBugs(suite: Mocha.Suite): void {
  let test = "";
  const found: string[] = [];
  const hear = (bug: unknown) => {
    // the editor under test refuses every modal question
    if (!String(bug).includes("DialogService: refused")) found.push(`${test}: ${firstLines(String(bug))}`);
  };
  suite.beforeAll(() => subscribe("reprise.bugs", hear));
  suite.beforeEach(function () {
    test = this.currentTest?.title ?? "";
  });
  suite.afterAll("no error is unexpected", () => {
    unsubscribe("reprise.bugs", hear);
    assert.equal(found.join("\n"), "");
  });
}

function firstLines(text: string): string {
  return text.split("\n").slice(0, 4).join("\n");
}
