// The demo repository with restore tests whose numbers are known: vm/web serves, shown on its newest snapshot; vm/office boots, shown on
// an earlier one.

import { join } from "node:path";
import { loadCatalog, openBackend, openRepository, storeTestRecord, systemEnvironment } from "../../../core/index.js";
import { sampleTestRecord } from "../../support/sampleTestRecord.js";
import { startService } from "./startService.js";

interface KnownTest {
  machine: string;
  /** Of the machine's 21 snapshots, the oldest is 0. */
  snapshot: number;
  outcome: "passed" | "warned" | "failed";
  level: "boots" | "serves" | null;
  rtoMs: number;
}

/** In the order in which they were run. */
export const KNOWN_TESTS: readonly KnownTest[] = [
  { machine: "vm/web", snapshot: 2, outcome: "passed", level: "boots", rtoMs: 52_000 },
  { machine: "vm/office", snapshot: 5, outcome: "passed", level: "boots", rtoMs: 66_000 },
  { machine: "vm/web", snapshot: 6, outcome: "passed", level: "serves", rtoMs: 47_000 },
  { machine: "vm/web", snapshot: 9, outcome: "failed", level: null, rtoMs: 900_000 },
  { machine: "vm/web", snapshot: 13, outcome: "warned", level: "serves", rtoMs: 61_500 },
  { machine: "vm/office", snapshot: 15, outcome: "passed", level: "boots", rtoMs: 71_000 },
  { machine: "vm/web", snapshot: 20, outcome: "passed", level: "serves", rtoMs: 41_000 },
];

/** Answers the repository's location. Not encrypted. */
export async function makeTestedDemo(folder: string): Promise<string> {
  const { client } = startService();
  try {
    const { location } = await client.call("makeDemo", { folder: join(folder, "demo") });
    await storeKnownTests(location);
    return location;
  } finally {
    await client.close();
  }
}

async function storeKnownTests(location: string): Promise<void> {
  const onWarning = () => {};
  const backend = await openBackend(location, {});
  try {
    const environment = systemEnvironment("0.0.0");
    const secret = async () => ({ passphrase: "" });
    const repository = await openRepository(backend, { secret, environment, cacheFolder: null, onWarning });
    for (const [i, known] of KNOWN_TESTS.entries()) {
      const { snapshots, records } = await loadCatalog(repository, { onWarning });
      const own = snapshots.filter(({ manifest }) => manifest.group === known.machine);
      const snapshot = own[known.snapshot];
      if (snapshot === undefined) throw new Error(`the demo has no snapshot ${known.snapshot} of ${known.machine}`);
      await storeTestRecord(repository, snapshot, recordOf(known, i, snapshot), [], records);
    }
  } finally {
    await backend.close();
  }
}

function recordOf(
  known: KnownTest,
  index: number,
  { sid, digest, timeMs }: { sid: string; digest: string; timeMs: number },
) {
  const { machine, outcome, level, rtoMs } = known;
  const sample = sampleTestRecord();
  const startedAtMs = timeMs + 3_600_000;
  const passes = outcome === "passed" || outcome === "warned";
  return sampleTestRecord({
    recordId: index.toString(16).padStart(32, "0"),
    asset: { ...sample.asset, machine },
    backup: { ...sample.backup, snapshotId: sid, manifestDigest: digest },
    times: {
      ...sample.times,
      startedAt: new Date(startedAtMs).toISOString(),
      finishedAt: new Date(startedAtMs + 120_000).toISOString(),
      rto: [{ way: "instant", restoreMs: 0, bootMs: 20_000, serveMs: rtoMs - 20_000, totalMs: rtoMs }],
      objectives: { ...sample.times.objectives, rtoMs: 60_000, rtoMet: rtoMs <= 60_000 },
    },
    checks: sample.checks.map((check) => (passes || check.type !== "ready" ? check : { ...check, outcome: "failed" })),
    result: { outcome, provenLevel: level, reason: `the test ${outcome}`, deviations: [] },
  });
}
