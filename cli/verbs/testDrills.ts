import {
  type Catalog,
  DRILL_FAULTS,
  type DrillFaultName,
  drillFault,
  isNoticed,
  isOurError,
  type Repository,
  runRestoreTest,
  type TestOptions,
  type TestRequest,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { EXIT } from "../exitCodes.js";
import { testEventLine } from "../output/restoreTestText.js";
import { tableLines } from "../output/table.js";
import { type Line, styled } from "../output/text.js";
import { countText } from "../output/units.js";
import type { Answer } from "../verb.js";

interface DrillResult {
  fault: DrillFaultName;
  machine: string;
  /** Null: this machine or repository cannot have the fault. */
  noticed: boolean | null;
  outcome: string;
  reason: string;
  /** Why it may rightly not be noticed. */
  unless: string | null;
}

export function testOptions(context: Context): TestOptions {
  return {
    signal: context.signal,
    onWarning: context.onWarning,
    onEvent: (event) => context.event(testEventLine(event), event),
  };
}

/** `test --drill`: each fault in turn, put between the backup and the test. Ends well when every one was noticed. */
export async function runDrills(
  context: Context,
  name: string | undefined,
  requestsFor: (opened: { repository: Repository; catalog: Catalog }, drill: DrillFaultName) => readonly TestRequest[],
): Promise<Answer> {
  const opened = await context.openCatalog();
  const faults = DRILL_FAULTS.filter((fault) => name === undefined || fault === name);
  const results: DrillResult[] = [];
  for (const fault of faults) {
    context.note([styled("bold", `drill ${fault}`), `: ${drillFault(fault).description}`]);
    for (const request of requestsFor(opened, fault)) {
      const drilled = drillOnce(context, request, fault);
      results.push(...(await (name === undefined ? drilled.catch(orImpossible(request, fault)) : drilled)));
    }
  }
  const unnoticed = results.filter(({ noticed }) => noticed === false);
  return {
    document: { noticedAll: unnoticed.length === 0, drills: results },
    lines: drillLines(results),
    summary: [
      unnoticed.length === 0
        ? styled("green", "every fault was noticed")
        : styled(
            "red",
            `${countText(unnoticed.length, "fault")} not noticed: tests that pass prove less than they say`,
          ),
    ],
    exitCode: unnoticed.length === 0 ? EXIT.done : EXIT.failed,
  };
}

async function drillOnce(context: Context, request: TestRequest, name: DrillFaultName): Promise<DrillResult[]> {
  const fault = drillFault(name);
  const { unless } = fault;
  const { machines, untested } = await runRestoreTest(request, testOptions(context));
  return [
    ...machines.map(({ record }) => {
      const { outcome, reason } = record.result;
      const machine = record.asset.machine;
      return { fault: name, machine, noticed: isNoticed(fault, outcome, reason), outcome, reason, unless };
    }),
    ...untested.map(({ machine, error }) => {
      const reason = error instanceof Error ? error.message : String(error);
      const noticed = isOurError(error, "DRILL_IMPOSSIBLE") ? null : false;
      return { fault: name, machine, noticed, outcome: "not tested", reason, unless };
    }),
  ];
}

/** Of all drills, one that the repository cannot have is told beside the others. */
function orImpossible({ spec }: TestRequest, name: DrillFaultName): (error: unknown) => DrillResult[] {
  return (error) => {
    if (!isOurError(error, "DRILL_IMPOSSIBLE")) throw error;
    const { unless } = drillFault(name);
    const told = { fault: name, noticed: null, outcome: "not tested", reason: error.message, unless };
    return spec.machines.map(({ machine }) => ({ ...told, machine }));
  };
}

function drillLines(results: readonly DrillResult[]): Line[] {
  const columns = ["DRILL", "MACHINE", "NOTICED", "REASON"].map((title) => ({ title }));
  return tableLines(
    columns,
    results.map(({ fault, machine, noticed, reason, unless }): Line[] => [
      fault,
      machine,
      noticed === null ? "not possible" : noticed ? styled("green", "yes") : styled("red", "no"),
      noticed === false && unless !== null ? `${reason}; that may be right when ${unless}` : reason,
    ]),
  );
}
