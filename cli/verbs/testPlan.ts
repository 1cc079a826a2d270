import { chooseSnapshot, lastTestTimes } from "../../core/index.js";
import type { Context } from "../context.js";
import { tableLines } from "../output/table.js";
import type { Line } from "../output/text.js";
import { countText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { SpecFile } from "../specFiles.js";
import type { Answer } from "../verb.js";

/** `test --dry-run`: which snapshots would be tested, and how. */
export async function planTests(context: Context, files: readonly SpecFile[]): Promise<Answer> {
  const { catalog } = await context.openCatalog();
  const planned = files.flatMap(({ path, spec }) =>
    spec.machines.map((test) => {
      const { machine, level, via, checks } = test;
      const testedAtMs = lastTestTimes(catalog, machine);
      const chosen = chooseSnapshot(test.snapshot, { machine, catalog, testedAtMs, random: Math.random });
      return { path, name: spec.name, machine, level, via, checks: checks.map(({ id }) => id), chosen };
    }),
  );
  const rows = planned.map(({ machine, chosen, level, via, checks }): Line[] => [
    machine,
    `${chosen.snapshot.manifest.time} (${chosen.reason})`,
    level,
    via,
    checks.join(", ") || "those of the level",
  ]);
  const columns = ["MACHINE", "SNAPSHOT", "LEVEL", "VIA", "CHECKS"].map((title) => ({ title }));
  return {
    document: {
      dryRun: true,
      machines: planned.map(({ chosen, ...plan }) => ({
        ...plan,
        snapshot: snapshotReference(chosen.snapshot),
        reason: chosen.reason,
      })),
    },
    lines: tableLines(columns, rows),
    summary: [`nothing was started; ${countText(planned.length, "machine")} would be tested`],
  };
}
