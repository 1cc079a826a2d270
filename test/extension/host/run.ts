// Called by the extension host: mocha over the bundled suites, results to a file.

import Mocha from "mocha";
import { facts } from "./hostFacts.js";

export async function run(): Promise<void> {
  const output = process.env.REPRISE_HOST_REPORT;
  const mocha = new Mocha({ ui: "bdd", timeout: 60_000, color: false, reporter: "json", reporterOptions: { output } });
  for (const suite of facts.suites) mocha.addFile(suite);
  const failures = await new Promise<number>((resolve, reject) => {
    try {
      mocha.run(resolve);
    } catch (error) {
      reject(error);
    }
  });
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
