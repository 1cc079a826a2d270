// What a restore test leaves is a stored structure, and described where those are: core/format/restoreTestRecord.ts.

export type { Artifact, CheckResult, Outcome, Phase, RestoreTestRecord } from "../format/restoreTestRecord.js";
export { OUTCOMES } from "../format/restoreTestRecord.js";
