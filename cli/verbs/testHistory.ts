import { testHistory } from "../../core/index.js";
import type { Context } from "../context.js";
import { type Given, usageError } from "../given/given.js";
import { rtoText } from "../output/restoreTestText.js";
import { tableLines } from "../output/table.js";
import type { Line } from "../output/text.js";
import { countText, elapsedText, localTimeText } from "../output/units.js";
import type { Answer } from "../verb.js";

/** `test --history [machine]`: what the repository knows of earlier tests. */
export async function showTestHistory(context: Context, given: Given): Promise<Answer> {
  if (given.operands.length > 0) throw usageError("--history shows earlier tests and takes no spec");
  const machine = given.text("history");
  const { catalog } = await context.openCatalog();
  const { tests, problems } = testHistory(catalog, machine);
  for (const { code, message } of problems) context.onWarning({ code: "TEST_HISTORY", message, data: { code } });
  const rows = tests.map(({ record }): Line[] => [
    localTimeText(Date.parse(record.times.finishedAt)),
    record.asset.machine,
    record.backup.startedAt,
    record.result.outcome,
    record.result.provenLevel ?? "–",
    rtoText(record),
    elapsedText(record.times.rpoMs),
  ]);
  const titles = ["TESTED", "MACHINE", "BACKUP", "RESULT", "PROVEN", "RTO", "RPO"];
  const whose = machine === undefined ? "" : ` of ${machine}`;
  return {
    document: {
      machine: machine ?? null,
      tests: tests.map(({ record, digest, rid, envelopes }) => ({
        ...record,
        digest,
        rid,
        signed: envelopes.length > 0,
      })),
      problems,
    },
    lines:
      rows.length === 0
        ? []
        : tableLines(
            titles.map((title) => ({ title })),
            rows,
          ),
    summary: [`${countText(tests.length, "restore test")}${whose}`],
  };
}
