import type { VerbFamily } from "../verb.js";
import { evidenceExportVerb } from "./evidenceExport.js";
import { evidenceVerifyVerb } from "./evidenceVerify.js";

export const evidenceVerbs: VerbFamily = {
  name: "evidence",
  summary: "signed statements of restore tests: check them, hand them over",
  verbs: [evidenceVerifyVerb, evidenceExportVerb],
};
