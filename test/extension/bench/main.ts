// `npm run bench-editor [-- --only local,s3,folder --snapshots N --machines N --keep-shots FOLDER]`: how long somebody in the editor
// waits for a large repository. Prints a table with what was wanted; exits with 1 when something was missed. bench/README.md.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../../../bench/report.js";
import { isReached, type Verdict } from "../../../bench/targets.js";
import { inProject } from "../../support/projectRoot.js";
import { S3Server } from "../../support/s3Server.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { launchBrowser } from "../support/browser.js";
import { startEditor } from "../support/editorServer.js";
import { packExtension } from "../support/packagedExtension.js";
import {
  addLargeFolder,
  copyOf,
  fillRepository,
  localRepository,
  passphrase,
  type ScaleSizes,
} from "./scaleRepositories.js";
import { type ServiceTimes, serviceTimes } from "./serviceTimes.js";
import { folderTime, paintTimes } from "./windowTimes.js";

const WANTED_MS = 1000;
const NAME = "Scale";

interface Options extends ScaleSizes {
  parts: string[];
  shots: string | undefined;
}

function readOptions(args: string[]): Options {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: { only: text, snapshots: text, machines: text, entries: text, shots: text },
  });
  const number = (value: string | undefined, usual: number) => Number(value ?? usual);
  return {
    parts: values.only?.split(",") ?? ["local", "s3"],
    snapshots: number(values.snapshots, 10_000),
    machines: number(values.machines, 40),
    entries: number(values.entries, 20_000),
    shots: values.shots,
  };
}

/** One repository, first without and then with what this computer remembers of it. */
async function measure(where: string, location: string, scratch: string, options: Options): Promise<Verdict[]> {
  const cache = join(scratch, "cache");
  const { vsix } = await packExtension();
  const server = await startEditor({
    vsix,
    machineSettings: { "reprise.repositories": [{ location, name: NAME }] },
    env: { REPRISE_CACHE_DIR: cache },
  });
  const browser = await launchBrowser();
  const rows: Verdict[] = [];
  const add = (what: string, value: number, limit: number) =>
    rows.push({ what: `${where}: ${what}`, value, limit, atLeast: false, unit: "ms" });
  try {
    for (const state of ["cold", "warm"]) {
      if (state === "cold") await rm(cache, { recursive: true, force: true });
      const { shots } = options;
      const { firstMs, wholeMs, window } = await paintTimes(browser, server, {
        name: NAME,
        passphrase,
        ...(shots === undefined ? {} : { shots: join(shots, `${where}-${state}`) }),
      });
      add(`window, ${state}: passphrase to first machines`, firstMs, WANTED_MS);
      add(`window, ${state}: passphrase to all, with states`, wholeMs, Number.POSITIVE_INFINITY);
      add(
        `window, ${state}: folder of ${options.entries} entries`,
        await folderTime(window, "folders", "many"),
        WANTED_MS,
      );
      await window.shot("folder");
      await window.close();
    }
    await rm(cache, { recursive: true, force: true });
    for (const state of ["cold", "warm"]) {
      const times = await serviceTimes(location, cache);
      for (const [what, value] of Object.entries(times) as [keyof ServiceTimes, number][])
        add(`service, ${state}: ${what}`, value, Number.POSITIVE_INFINITY);
    }
  } finally {
    await browser.close();
    await server.stop();
  }
  return rows;
}

async function measureLocal(options: Options): Promise<Verdict[]> {
  const kept = inProject(".cache", "bench");
  await mkdir(kept, { recursive: true });
  const made = await localRepository(kept, options);
  const folder = await makeTemporaryFolder("bench-editor");
  try {
    const location = await copyOf(made, folder.path);
    await addLargeFolder(location, folder.path, options);
    return await measure("folder", location, folder.path, options);
  } finally {
    await folder.remove();
  }
}

async function measureS3(options: Options): Promise<Verdict[]> {
  const folder = await makeTemporaryFolder("bench-editor");
  const server = await S3Server.start();
  Object.assign(process.env, server.environment());
  try {
    const location = server.location(await server.newBucket(), "scale");
    await fillRepository(location, options);
    await addLargeFolder(location, folder.path, options);
    return await measure("s3", location, folder.path, options);
  } finally {
    server.stop();
    await folder.remove();
  }
}

function report(rows: readonly Verdict[]): string {
  const lines = rows.map(({ what, value = Number.NaN, limit, ...rest }) => {
    if (!Number.isFinite(limit)) return [what, `${value.toFixed(0)} ms`, "", ""];
    const verdict = isReached({ what, value, limit, ...rest }) ? "reached" : "MISSED";
    return [what, `${value.toFixed(0)} ms`, `≤ ${limit} ms`, verdict];
  });
  return table([["", "measured", "wanted", ""], ...lines]);
}

const options = readOptions(process.argv.slice(2));
const results: Verdict[] = [];
if (options.parts.includes("local")) results.push(...(await measureLocal(options)));
if (options.parts.includes("s3")) results.push(...(await measureS3(options)));
console.log(`${options.snapshots} snapshots of ${options.machines} machines`);
console.log(report(results));
process.exitCode = results.every((row) => !Number.isFinite(row.limit) || isReached(row)) ? 0 : 1;
