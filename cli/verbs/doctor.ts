import { type DoctorReport, examineRepository, type FindingStatus } from "../../core/index.js";
import type { Context } from "../context.js";
import type { Given } from "../given/given.js";
import { tableLines } from "../output/table.js";
import { type Line, type Span, styled } from "../output/text.js";
import type { Answer, Verb } from "../verb.js";

export const doctorVerb: Verb = {
  name: "doctor",
  summary: "find out what is wrong, and what a thief could do",
  details: [
    "Tries the promises that the storage has to keep, compares clocks, looks at cache and programs, and tries with the present credentials to overwrite and to delete canaries: objects of its own, one in each folder of the repository. Ends with exit code 1 when something is wrong, 3 when something deserves a look.",
  ],
  operands: [],
  options: [{ flags: "--no-trial", description: "put no canaries: do not try what a thief could do" }],
  examples: [{ command: "reprise doctor", meaning: "once as a runner, once as the keeper" }],
  run: runDoctor,
};

async function runDoctor(context: Context, given: Given): Promise<Answer> {
  const repository = await context.openRepository();
  const { cacheFolder } = context.settings;
  const report = await examineRepository(repository, {
    ...context.options,
    cacheFolder,
    withoutTrial: !given.flag("trial"),
  });
  for (const { name, status, detail } of report.findings) {
    if (status === "warning") context.onWarning({ code: "DOCTOR_WARNING", message: detail, data: { name } });
  }
  const failed = report.status === "failed" ? { failed: true as const } : {};
  return { document: report, lines: reportLines(report), ...failed };
}

function reportLines({ findings }: DoctorReport): Line[] {
  const columns = [{ title: "WHAT" }, { title: "STATE" }, { title: "DETAIL" }];
  return tableLines(
    columns,
    findings.map(({ name, status, detail }) => [name, statusSpan(status), detail]),
  );
}

function statusSpan(status: FindingStatus): Span {
  if (status === "failed") return styled("red", status);
  return status === "warning" ? styled("yellow", status) : status;
}
