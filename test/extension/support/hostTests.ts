// Mocha inside the real extension host: bundles test/extension/host/suites/*.ts, runs them there, and reads back what happened.

import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { inProject } from "../../support/projectRoot.js";
import type { BadRepositories } from "./badRepositories.js";
import { launchBrowser, runInHost, TEST_HOST_ARGS } from "./browser.js";
import { startEditor } from "./editorServer.js";
import { packExtension } from "./packagedExtension.js";
import type { SampleRepository } from "./sampleRepository.js";
import { SAMPLE_PASSPHRASE } from "./sampleRepository.js";

const run = promisify(execFile);
const sources = inProject("build", "test", "extension", "host");
/** Nothing else may have used the extension before it. */
const FIRST = "firstUse.js";
/** Below the project, so that the bundles find mocha. */
const outFolder = inProject("build", "hostTests");

export interface HostTest {
  title: string;
  /** Undefined: passed. */
  problem: string | undefined;
}

interface MochaReport {
  passes: { fullTitle: string }[];
  failures: { fullTitle: string; err: { message?: string; stack?: string } }[];
  pending: { fullTitle: string }[];
}

/** All tests of the host (or of another folder beside them), in the editor with the packaged extension and the repository in its settings. */
export async function runHostTests(
  sample: SampleRepository,
  { damaged, crowded }: BadRepositories,
  { folder = "suites", extra = {} }: { folder?: string; extra?: Record<string, string> } = {},
): Promise<HostTest[]> {
  const suites = await bundleSuites(folder);
  const workspace = join(sample.folder, "workspace");
  await mkdir(workspace);
  const program = inProject("dist", "cli", "reprise.mjs");
  const report = join(sample.folder, "host-report.json");
  const facts = join(sample.folder, "host-facts.json");
  await writeFile(facts, JSON.stringify({ ...sample, damaged, crowded, extra, program, workspace, suites }));
  const { vsix } = await packExtension();
  const server = await startEditor({
    vsix,
    machineSettings: {
      "reprise.repositories": [
        { location: sample.location, name: "Sample" },
        { location: damaged.location, name: "Damaged" },
        { location: crowded.location, name: "Crowded" },
      ],
    },
    env: {
      REPRISE_HOST_REPORT: report,
      REPRISE_HOST_FACTS: facts,
      REPRISE_REPOSITORY: sample.location,
      REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE,
    },
    args: TEST_HOST_ARGS,
  });
  const browser = await launchBrowser();
  try {
    const { code, log } = await runInHost(browser, server, join(outFolder, "run.cjs"), workspace);
    return await readReport(report).catch((cause: unknown) => {
      throw new Error(`no report of the extension host (${code}):\n${log}\n${server.log()}`, { cause });
    });
  } finally {
    await browser.close();
    await server.stop();
  }
}

async function bundleSuites(folder: string): Promise<string[]> {
  const names = (await readdir(join(sources, folder))).filter((name) => name.endsWith(".js"));
  const suites = names.toSorted((a, b) => Number(b === FIRST) - Number(a === FIRST));
  await rm(outFolder, { recursive: true, force: true });
  const inputs = ["run.js", ...suites.map((name) => join(folder, name))].map((name) => join(sources, name));
  const flags = ["--bundle", "--platform=node", "--format=cjs", "--external:vscode", "--external:mocha"];
  const out = [`--outdir=${outFolder}`, `--outbase=${sources}`, "--out-extension:.js=.cjs", "--log-level=warning"];
  await run(inProject("node_modules", "esbuild", "bin", "esbuild"), [...inputs, ...flags, ...out]);
  return suites.map((name) => join(outFolder, folder, name.replace(/js$/, "cjs")));
}

async function readReport(path: string): Promise<HostTest[]> {
  const { passes, failures, pending } = JSON.parse(await readFile(path, "utf8")) as MochaReport;
  return [
    ...passes.map(({ fullTitle }) => ({ title: fullTitle, problem: undefined })),
    ...failures.map(({ fullTitle, err }) => ({ title: fullTitle, problem: err.stack ?? err.message ?? "failed" })),
    ...pending.map(({ fullTitle }) => ({ title: fullTitle, problem: "skipped" })),
  ];
}
