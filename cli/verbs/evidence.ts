import type { VerbFamily } from "../verb.js";
import { evidenceExportVerb } from "./evidenceExport.js";
import { evidenceLogVerb } from "./evidenceLog.js";
import { evidencePublishVerb } from "./evidencePublish.js";
import { evidenceVerifyVerb } from "./evidenceVerify.js";

export const evidenceVerbs: VerbFamily = {
  name: "evidence",
  summary: "signed statements of restore tests and backups: check, hand over, publish for gates",
  verbs: [evidenceVerifyVerb, evidenceExportVerb, evidencePublishVerb, evidenceLogVerb],
};
