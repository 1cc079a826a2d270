// How much a prune may remove without anybody having looked: a mistyped policy, or snapshots that somebody has added to push
// others out, must not empty a repository. docs/retention.md.

import { RepriseError } from "../errors.js";
import { qualifiedGroup } from "../format/manifest.js";

/** More than this share of a machine's snapshots, or of all, needs to be confirmed. */
export const MAX_DROP_SHARE = 0.5;
/** Of fewer, any part may go. */
export const MIN_DROP_COUNT = 4;

interface Plan {
  namespace: string;
  group: string;
  decisions: readonly { mark: string }[];
}

/** PRUNE_DROPS_MANY. Protected snapshots count among those that stay. */
export function refuseManyDrops(plans: readonly Plan[]): void {
  for (const plan of plans) refuse(qualifiedGroup(plan.namespace, plan.group), [plan]);
  refuse("all machines", plans);
}

function refuse(whose: string, plans: readonly Plan[]): void {
  const decisions = plans.flatMap((plan) => plan.decisions);
  const removed = decisions.filter(({ mark }) => mark === "remove").length;
  if (decisions.length < MIN_DROP_COUNT || removed <= MAX_DROP_SHARE * decisions.length) return;
  throw new RepriseError(
    "usage",
    "PRUNE_DROPS_MANY",
    `this would forget ${removed} of the ${decisions.length} snapshots of ${whose}, more than half`,
    {
      data: { whose, removed, snapshots: decisions.length },
      hint: "nothing was forgotten; look at it with --dry-run, then say --confirm",
    },
  );
}
