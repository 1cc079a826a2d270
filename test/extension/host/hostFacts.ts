// What the tests in the extension host are told from outside.

import { readFileSync } from "node:fs";
import type { CrowdedFacts, DamagedFacts } from "../support/badRepositories.js";

export interface HostFacts {
  folder: string;
  location: string;
  repositoryId: string;
  snapshots: readonly [string, string, string];
  odd: string;
  workspace: string;
  damaged: DamagedFacts;
  crowded: CrowdedFacts;
  /** Of one folder of tests: what only they need. */
  extra: Readonly<Record<string, string>>;
  /** The program, to be run under Node as another window would work. */
  program: string;
  /** The bundled suites. */
  suites: readonly string[];
}

export const facts = JSON.parse(readFileSync(process.env.REPRISE_HOST_FACTS ?? "", "utf8")) as HostFacts;
