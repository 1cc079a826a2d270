import assert from "node:assert/strict";
import { join } from "node:path";
import { verdictReport } from "../../bench/report.js";
import { addChunks, makeRepository, reopenRepository } from "../../bench/scale/bigRepository.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

describe("the bench", () => {
  it("fills an index that readers accept, without a warning", async () => {
    const folder = await makeTemporaryFolder("bench-scale");
    try {
      const path = join(folder.path, "repository");
      const repository = await makeRepository(path);
      await addChunks(repository, path, 1000);
      await repository.close();
      const again = await reopenRepository(path, null);
      const warnings: string[] = [];
      const { index } = await loadPresenceForReading(again, { onWarning: ({ message }) => warnings.push(message) });
      await again.close();
      assert.deepEqual(warnings, []);
      assert.equal(index.blobCount, 1024);
    } finally {
      await folder.remove();
    }
  });

  it("prints a verdict without a number as not run, and reaches nothing by it", () => {
    const limits = { limit: 48, atLeast: false, unit: "bytes" } as const;
    const fromJson = JSON.parse('{"value":null}') as { value?: number };
    const text = verdictReport([
      { what: "absent", ...limits },
      { what: "null", ...limits, ...fromJson },
      { what: "none", ...limits, value: Number.NaN },
      { what: "good", ...limits, value: 44 },
    ]);
    const ends = text.split("\n").slice(1);
    assert.equal(ends.filter((line) => /not run.*–$/.test(line)).length, 3, text);
    assert.match(ends[3] ?? "", /reached$/);
  });
});
