// Every verb, in the order of the help.

import type { Listed } from "./verb.js";
import { tarVerb, zipVerb } from "./verbs/archive.js";
import { backupVerb } from "./verbs/backup.js";
import { bootVerb } from "./verbs/boot.js";
import { catVerb } from "./verbs/cat.js";
import { completionVerb, makeCompleteVerb } from "./verbs/completion.js";
import { configVerbs } from "./verbs/config.js";
import { diffVerb } from "./verbs/diff.js";
import { doctorVerb } from "./verbs/doctor.js";
import { evidenceVerbs } from "./verbs/evidence.js";
import { findVerb } from "./verbs/find.js";
import { forgetVerb } from "./verbs/forget.js";
import { gateVerb } from "./verbs/gate.js";
import { gcVerb } from "./verbs/gc.js";
import { historyVerb } from "./verbs/history.js";
import { initVerb } from "./verbs/init.js";
import { keyVerbs } from "./verbs/key.js";
import { lsVerb } from "./verbs/ls.js";
import { nbdVerb } from "./verbs/nbd.js";
import { notesVerb } from "./verbs/notes.js";
import { planVerb } from "./verbs/plan.js";
import { protectVerb, unprotectVerb } from "./verbs/protect.js";
import { pruneVerb } from "./verbs/prune.js";
import { repairVerbs } from "./verbs/repair.js";
import { restoreVerb } from "./verbs/restore.js";
import { runVerb } from "./verbs/run.js";
import { showVerb } from "./verbs/show.js";
import { snapshotsVerb } from "./verbs/snapshots.js";
import { statsVerb } from "./verbs/stats.js";
import { statusVerb } from "./verbs/status.js";
import { syncVerb } from "./verbs/sync.js";
import { tagVerb } from "./verbs/tag.js";
import { testVerb } from "./verbs/test.js";
import { verifyVerb } from "./verbs/verify.js";

export const VERB_LIST: readonly Listed[] = [
  { group: "Back up and restore:", entry: initVerb },
  { group: "Back up and restore:", entry: backupVerb },
  { group: "Back up and restore:", entry: snapshotsVerb },
  { group: "Back up and restore:", entry: showVerb },
  { group: "Back up and restore:", entry: restoreVerb },
  { group: "Run what reprise.yml says:", entry: runVerb },
  { group: "Run what reprise.yml says:", entry: planVerb },
  { group: "Run what reprise.yml says:", entry: statusVerb },
  { group: "Run what reprise.yml says:", entry: gateVerb },
  { group: "Run what reprise.yml says:", entry: configVerbs },
  { group: "Look into snapshots:", entry: lsVerb },
  { group: "Look into snapshots:", entry: catVerb },
  { group: "Look into snapshots:", entry: findVerb },
  { group: "Look into snapshots:", entry: historyVerb },
  { group: "Look into snapshots:", entry: diffVerb },
  { group: "Look into snapshots:", entry: tarVerb },
  { group: "Look into snapshots:", entry: zipVerb },
  { group: "Look into snapshots:", entry: nbdVerb },
  { group: "Look into snapshots:", entry: bootVerb },
  { group: "Look after snapshots:", entry: notesVerb },
  { group: "Look after snapshots:", entry: tagVerb },
  { group: "Look after snapshots:", entry: protectVerb },
  { group: "Look after snapshots:", entry: unprotectVerb },
  { group: "Look after snapshots:", entry: forgetVerb },
  { group: "Look after snapshots:", entry: pruneVerb },
  { group: "Look after snapshots:", entry: evidenceVerbs },
  { group: "Look after snapshots:", entry: testVerb },
  { group: "Look after the repository:", entry: verifyVerb },
  { group: "Look after the repository:", entry: gcVerb },
  { group: "Look after the repository:", entry: statsVerb },
  { group: "Look after the repository:", entry: repairVerbs },
  { group: "Look after the repository:", entry: syncVerb },
  { group: "Look after the repository:", entry: keyVerbs },
  { group: "Look after the repository:", entry: doctorVerb },
  { group: "This program:", entry: completionVerb },
  { group: "This program:", entry: makeCompleteVerb(() => VERB_LIST) },
];
