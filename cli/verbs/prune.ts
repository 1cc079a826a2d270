import {
  applyPrune,
  type Catalog,
  COUNT_RULES,
  type CountRule,
  checkKeepOptions,
  DEFAULT_TIME_DISTRUST,
  formatDuration,
  type GroupPrunePlan,
  type KeepOptions,
  openTimeZone,
  parseIsoInstant,
  planRepositoryPrune,
  simulatePrune,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { type Given, usageError, wrongValue } from "../given/given.js";
import { fitsMachine, NAMESPACE_OPTION, readMachineFilter, unknownMachines } from "../given/machine.js";
import type { OptionSpec } from "../lineSpec.js";
import { countMarks, pruneLines, pruneSummary, simulationLines } from "../output/pruneText.js";
import { readSimulation } from "../simulationFile.js";
import type { Answer, Verb } from "../verb.js";

const RULE_MEANINGS: Record<CountRule, string> = {
  last: "keep the newest ones",
  hourly: "keep the newest of each hour, for so many hours",
  daily: "keep the newest of each day, for so many days",
  weekly: "keep the newest of each week, for so many weeks",
  monthly: "keep the newest of each month, for so many months",
  yearly: "keep the newest of each year, for so many years",
};

const KEEP_OPTIONS: readonly OptionSpec[] = COUNT_RULES.map((rule) => ({
  flags: `--keep-${rule} <count>`,
  description: RULE_MEANINGS[rule],
  completes: "nothing",
}));

export const pruneVerb: Verb = {
  name: "prune",
  summary: "forget snapshots that a retention policy does not keep",
  details: [
    "Every machine is decided for itself; docs/retention.md explains the rules. Without any rule everything is kept. Space is freed by gc.",
  ],
  operands: [],
  options: [
    {
      flags: "--keep-within <duration>",
      description: "keep all that are not older, as in 30d or 1y6m",
      completes: "nothing",
    },
    ...KEEP_OPTIONS,
    { flags: "-g, --group <machine>", description: "only this machine", many: true, completes: "group" },
    NAMESPACE_OPTION,
    {
      flags: "--timezone <zone>",
      description: "where days and weeks begin, as in Europe/Berlin",
      standard: "UTC",
      completes: "nothing",
    },
    { flags: "--dry-run", description: "only show what would be forgotten, and why" },
    { flags: "--confirm", description: "also when that is more than half of a machine's snapshots, or of all" },
    {
      flags: "--simulate <file>",
      description: "decide about a JSON list of times instead; - is standard input",
      completes: "file",
    },
    {
      flags: "--now <time>",
      description: "take this for the present (with --dry-run or --simulate)",
      completes: "nothing",
    },
  ],
  examples: [
    { command: "reprise prune --keep-within 7d --keep-daily 14 --keep-monthly 12 --dry-run", meaning: "look first" },
    { command: "reprise prune --keep-last 3 --group vm/web1", meaning: "one machine" },
    {
      command: "reprise snapshots --json | reprise prune --simulate - --keep-weekly 4 --json",
      meaning: "try a policy on a list",
    },
  ],
  run: runPrune,
};

interface Policy {
  keep: KeepOptions;
  timeZone: string;
  nowMs: number;
}

async function runPrune(context: Context, given: Given): Promise<Answer> {
  const policy = readPolicy(context, given);
  const simulated = given.text("simulate");
  if (simulated !== undefined) return await simulate(context, simulated, policy);
  const filter = readMachineFilter(given);
  const dryRun = given.flag("dryRun");
  const { repository, catalog } = await context.openCatalog({ fresh: true });
  const unknown = unknownMachines(
    filter,
    catalog.snapshots.map(({ manifest }) => manifest),
  );
  if (unknown !== null) context.onWarning({ code: "MACHINE_UNKNOWN", message: unknown.message });
  const snapshots = catalog.snapshots.filter(({ manifest }) => fitsMachine(filter, manifest));
  // Where a thief may be among the writers, the times that they claim are compared with the storage's.
  const distrust = repository.config.keeper === null ? undefined : DEFAULT_TIME_DISTRUST;
  const scope = { ...policy, group: null, namespace: null, distrust };
  const plans = planRepositoryPrune({ ...catalog, snapshots } satisfies Catalog, scope);
  if (!dryRun) await applyPrune(repository, plans, { ...context.options, confirmed: given.flag("confirm") });
  return {
    document: pruneDocument(plans, policy, dryRun),
    lines: pruneLines(plans, policy.timeZone, catalog),
    summary: pruneSummary(plans, dryRun),
  };
}

async function simulate(context: Context, file: string, policy: Policy): Promise<Answer> {
  const input = await readSimulation(file, context.io.stdin, context.signal);
  const decisions = simulatePrune(input, policy.keep, policy);
  return { document: decisions, lines: simulationLines(decisions, policy.timeZone) };
}

function readPolicy(context: Context, given: Given): Policy {
  const counts = COUNT_RULES.map((rule) => {
    const name = `keep${rule[0]?.toUpperCase()}${rule.slice(1)}`;
    return [rule, given.integer(name, 0)] as const;
  });
  const keep = checkKeepOptions({ ...Object.fromEntries(counts), within: given.text("keepWithin") });
  const timeZone = given.text("timezone") ?? "UTC";
  openTimeZone(timeZone);
  return { keep, timeZone, nowMs: readNow(given) ?? context.environment.now() };
}

/** Not for a real prune: a wrong present would forget other snapshots than the policy means. */
function readNow(given: Given): number | undefined {
  const text = given.text("now");
  if (text === undefined) return undefined;
  if (!given.flag("dryRun") && !given.has("simulate")) throw usageError("--now is for --dry-run and --simulate only");
  const nowMs = parseIsoInstant(text);
  if (nowMs === undefined) throw wrongValue("--now", text, "a time such as 2026-11-20T12:00:00Z");
  return nowMs;
}

function pruneDocument(plans: readonly GroupPrunePlan[], { keep, timeZone, nowMs }: Policy, dryRun: boolean): unknown {
  const groups = plans.map(({ namespace, group, decisions }) => ({
    namespace,
    group,
    snapshots: decisions.map(({ snapshot, mark, rule, reasons }) => ({
      snapshotId: snapshot.sid,
      time: snapshot.manifest.time,
      mark,
      rule,
      reasons,
    })),
  }));
  const now = new Date(nowMs).toISOString();
  const keepText = { ...keep, ...(keep.within && { within: formatDuration(keep.within) }) };
  return {
    dryRun,
    timeZone,
    now,
    keep: keepText,
    marks: countMarks(plans.flatMap(({ decisions }) => decisions)),
    groups,
  };
}
