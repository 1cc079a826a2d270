// How the machines of an open repository stand, and what a retention would keep of their snapshots.

import {
  type KeepOptions,
  type MachineReportLine,
  parseDuration,
  planPrune,
  pruneCandidates,
  readConfig,
  repositoryStatus,
  type Snapshot,
  summarizePlan,
  systemEnvironment,
} from "../../core/index.js";
import { machineOf } from "./catalogAnswers.js";
import { policyFiles } from "./policyAnswers.js";
import type { KeepData, KeepPreviewData, KeepPreviewsData, MachineStateData } from "./policyProtocol.js";
import type { ArgumentOf } from "./protocol.js";
import type { CallContext, Session } from "./session.js";
import { VERSION } from "./version.js";

export async function machineStates(
  session: Session,
  { policy, maxAgeMs = Number.POSITIVE_INFINITY }: ArgumentOf<"machineStates">,
  context: CallContext,
): Promise<MachineStateData[]> {
  const { signal, onWarning } = context;
  // a report of a repository that cannot be read says so as a problem; here it is an error, as for every other call
  const { catalog } = await session.recentCatalog(context, maxAgeMs);
  const config =
    policy === null
      ? null
      : await readConfig(policy.text, {
          fileName: policy.path,
          ...policyFiles(policy.path, policy.trusted, signal),
        });
  const report = await repositoryStatus(
    { config, repository: policy?.repositoryName ?? null, machines: [], url: null },
    async () => session.repository,
    {
      ...{ environment: systemEnvironment(VERSION), signal, onWarning },
      readCatalog: async () => catalog,
    },
  );
  return report.machines.map(stateData);
}

/** Somebody is about to believe it. */
const PREVIEW_MAX_AGE_MS = 60_000;

export async function keepPreview(
  session: Session,
  { machines, keep, timeZone }: ArgumentOf<"keepPreview">,
  context: CallContext,
): Promise<KeepPreviewsData> {
  const options = keepOptions(keep);
  const { catalog, asOfMs } = await session.recentCatalog(context, PREVIEW_MAX_AGE_MS);
  const byMachine = Map.groupBy(catalog.snapshots, machineOf);
  const wanted = machines.length === 0 ? [...byMachine.keys()] : machines;
  const previews = wanted.flatMap((machine) => {
    const own = byMachine.get(machine);
    return own === undefined ? [] : [preview(machine, own, options, timeZone)];
  });
  return { asOfMs, previews };
}

function preview(
  machine: string,
  snapshots: readonly Snapshot[],
  keep: KeepOptions,
  timeZone: string,
): KeepPreviewData {
  const plan = planPrune(pruneCandidates(snapshots), keep, { timeZone, nowMs: Date.now() });
  const { marks, rules } = summarizePlan(plan, keep);
  return {
    machine,
    keeps: snapshots.length - marks.remove,
    removes: marks.remove,
    rules: rules.map(({ rule, limit, kept, oldestKeptMs }) => {
      return { rule, limit, kept, oldestKeptMs: oldestKeptMs ?? null };
    }),
  };
}

function keepOptions({ counts, within }: KeepData): KeepOptions {
  return within === null ? { ...counts } : { ...counts, within: parseDuration(within) };
}

function stateData({ machine, outcome, reason, state }: MachineReportLine): MachineStateData {
  const { newest = null, lastTest = null, snapshots = 0 } = state ?? {};
  return {
    ...{ machine, outcome, reason, snapshots },
    newest: newest && {
      timeMs: Date.parse(newest.time),
      verification: newest.verification,
      protected: newest.protected,
    },
    lastTest: lastTest && {
      atMs: Date.parse(lastTest.at),
      outcome: lastTest.outcome,
      provenLevel: lastTest.provenLevel,
      rtoMs: lastTest.rtoMs,
      ofNewest: lastTest.ofNewest,
    },
  };
}
