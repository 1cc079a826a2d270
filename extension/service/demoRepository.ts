// A repository to try everything on: two machines with disks that were made here, backed up for three weeks whose days are made up.
// Its backups are real ones; only their dates, and the contents of the disks, are not.

import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  backUp,
  DEFAULT_CHUNKER,
  initRepository,
  type JobRecordData,
  loadCatalog,
  openBackend,
  type Repository,
  RepriseError,
  rescueFiles,
  systemEnvironment,
  verifyRepository,
  writeRecord,
} from "../../core/index.js";
import { type DemoFile, makeDemoDisk } from "./demoDisk.js";
import type { AnswerOf, ArgumentOf } from "./protocol.js";
import type { CallContext } from "./session.js";
import { VERSION } from "./version.js";

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;
const DAYS = 21;
const JOB = "demo-nightly";

interface DemoMachine {
  group: string;
  sizeBytes: number;
  label: string;
  files(day: number, atMs: (day: number) => number): DemoFile[];
}

const MACHINES: readonly DemoMachine[] = [
  { group: "vm/web", sizeBytes: 24 * MIB, label: "WEB", files: webFiles },
  { group: "vm/office", sizeBytes: 32 * MIB, label: "OFFICE", files: officeFiles },
];

/** SERVICE_VALUE_INVALID when the folder is there. After an error or an abort nothing is left of it. */
export async function makeDemoRepository(
  { folder }: ArgumentOf<"makeDemo">,
  context: CallContext,
): Promise<AnswerOf<"makeDemo">> {
  const location = join(folder, "repository");
  await mkdir(dirname(folder), { recursive: true });
  try {
    await mkdir(folder);
  } catch (cause) {
    throw new RepriseError("usage", "SERVICE_VALUE_INVALID", `the folder ${folder} cannot be made`, {
      hint: "choose one that is not there yet",
      cause,
    });
  }
  try {
    return { location, snapshots: await fill(location, context) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function fill(location: string, context: CallContext): Promise<number> {
  const { signal, onProgress } = context;
  const system = systemEnvironment(VERSION);
  const endMs = system.now();
  const startMs = Math.floor(endMs / DAY_MS) * DAY_MS - DAYS * DAY_MS + 2 * 3_600_000;
  const clock = { nowMs: startMs };
  const environment = { ...system, now: () => clock.nowMs, heartbeatMs: 0 };
  const backend = await openBackend(location, { signal, create: true });
  try {
    const chunker = { ...DEFAULT_CHUNKER, minBytes: 16_384, averageBytes: 65_536, maxBytes: 262_144 };
    const { repository } = await initRepository(backend, {
      ...{ passphrase: null, chunker, environment, cacheFolder: null, rescue: rescueFiles(), signal },
    });
    const dayMs = (day: number) => startMs + day * DAY_MS;
    let snapshots = 0;
    for (let day = 0; day < DAYS; day++) {
      for (const [i, machine] of MACHINES.entries()) {
        clock.nowMs = dayMs(day) + i * 60_000;
        await backUpDay(repository, machine, day, dayMs, context);
        const done = ++snapshots;
        onProgress({ operation: "demo", phase: "backup", done, total: DAYS * MACHINES.length, unit: "snapshots" });
      }
      await recordJob(repository, dayMs(day), clock.nowMs + 40_000, context);
    }
    clock.nowMs = endMs;
    const all = { snapshots: null, readData: true, ignoreVerified: false, outdatedAfterMs: null, subset: null };
    await verifyRepository(repository, { ...all, record: true }, { ...context, onProgress: () => {} });
    return snapshots;
  } finally {
    await backend.close();
  }
}

async function backUpDay(
  repository: Repository,
  { group, sizeBytes, label, files }: DemoMachine,
  day: number,
  dayMs: (day: number) => number,
  { signal, onWarning }: CallContext,
): Promise<void> {
  const disk = makeDemoDisk(sizeBytes, label, files(day, dayMs));
  await backUp(
    repository,
    {
      ...{ group, namespace: "", files: [], tags: ["demo"], dryRun: false, lanes: 1 },
      disks: [{ kind: "stream", name: "sda", stream: pieces(disk) }],
      notes: "Made by the demo: the day and the contents are invented.",
      protected: day === 0,
      codec: { codec: "zstd", level: 3 },
    },
    { signal, onWarning },
  );
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += MIB) yield bytes.subarray(offset, offset + MIB);
}

async function recordJob(
  repository: Repository,
  startedMs: number,
  finishedMs: number,
  { signal, onWarning }: CallContext,
): Promise<void> {
  const { snapshots, records } = await loadCatalog(repository, { signal, onWarning });
  const newest = snapshots.slice(-MACHINES.length);
  const data: JobRecordData = {
    ...{ job: JOB, command: "backup", outcome: "passed", trigger: "manual" },
    ...{ host: repository.environment.host, scheduledFor: null, partial: false, slice: null },
    startedAt: new Date(startedMs).toISOString(),
    finishedAt: new Date(finishedMs).toISOString(),
    machines: newest.map(({ sid, manifest }) => ({ machine: manifest.group, outcome: "passed", snapshot: sid })),
  };
  await writeRecord(repository, { type: "job", data }, [], records, { signal });
}

function webFiles(day: number, atMs: (day: number) => number): DemoFile[] {
  const release = Math.floor(day / 7);
  const from = (text: string, made: number) => ({ bytes: new TextEncoder().encode(text), modifiedAtMs: atMs(made) });
  return [
    { path: "etc/hostname", ...from("web\n", 0) },
    { path: "etc/hosts", ...from("127.0.0.1 localhost\n10.0.0.12 web\n10.0.0.20 office\n", 0) },
    { path: "etc/motd", ...from("This disk was made by the demo of Reprise.\n", 0) },
    { path: "etc/nginx/nginx.conf", ...from(nginxConf(release), release * 7) },
    { path: "srv/www/index.html", ...from(indexPage(release), release * 7) },
    { path: "srv/www/site.css", ...from("body { font: 16px/1.5 sans-serif; max-width: 40em; margin: auto }\n", 0) },
    ...Array.from({ length: Math.min(day + 1, 14) }, (_, i): DemoFile => {
      const of = day - i;
      const path = i === 0 ? "var/log/nginx/access.log" : `var/log/nginx/access.log.${i}`;
      return { path, ...from(accessLog(of, atMs(of)), of) };
    }),
    { path: "var/lib/app/data.db", bytes: noise(4 * MIB, 7, day), modifiedAtMs: atMs(day) },
  ];
}

function officeFiles(day: number, atMs: (day: number) => number): DemoFile[] {
  const from = (text: string, made: number) => ({ bytes: new TextEncoder().encode(text), modifiedAtMs: atMs(made) });
  const files: DemoFile[] = [
    { path: "Users/mia/Documents/Notes.md", ...from(notes(day), day) },
    { path: "Users/mia/Documents/Budget 2026.csv", ...from(budget(day), Math.floor(day / 3) * 3) },
    {
      path: "Users/mia/Documents/Letter to the landlord.txt",
      ...from("Dear landlord,\n\nthe heating is cold.\n\nMia\n", 2),
    },
    { path: "Users/mia/Pictures/holiday.raw", bytes: noise(5 * MIB, 3, 0), modifiedAtMs: atMs(0) },
    { path: "Shared/README.txt", ...from("Files of the office. This disk was made by the demo of Reprise.\n", 0) },
  ];
  // a day that stands out in the overview
  if (day >= 17)
    files.push({ path: "Shared/video of the party.raw", bytes: noise(6 * MIB, 11, 0), modifiedAtMs: atMs(17) });
  // somebody has tidied up too much: there is a version to be found
  return day === 12 ? files.filter(({ path }) => !path.includes("Letter")) : files;
}

function nginxConf(release: number): string {
  const limit = ["1m", "8m", "8m", "32m"][release] ?? "32m";
  const compressed = release > 0 ? "    gzip on;\n" : "";
  return `worker_processes auto;\n\nevents {\n    worker_connections ${512 * (release + 1)};\n}\n\nhttp {\n    client_max_body_size ${limit};\n${compressed}    server {\n        listen 80;\n        root /srv/www;\n    }\n}\n`;
}

function indexPage(release: number): string {
  const news = Array.from({ length: release + 1 }, (_, i) => `    <li>News of week ${i + 1}</li>\n`).join("");
  return `<!DOCTYPE html>\n<html lang="en">\n<head><title>The demo</title><link rel="stylesheet" href="site.css"></head>\n<body>\n  <h1>Welcome</h1>\n  <ul>\n${news}  </ul>\n</body>\n</html>\n`;
}

function accessLog(day: number, atMs: number): string {
  const pages = ["/", "/site.css", "/news", "/about", "/contact"];
  const random = seeded(1000 + day);
  return Array.from({ length: 400 }, (_, i) => {
    const at = new Date(atMs + i * 200_000).toISOString();
    return `10.0.0.${random() % 250} - - [${at}] "GET ${pages[random() % pages.length]} HTTP/1.1" 200 ${random() % 9000}\n`;
  }).join("");
}

function notes(day: number): string {
  const lines = Array.from(
    { length: day + 1 },
    (_, i) => `- day ${i + 1}: ${i % 5 === 0 ? "talked to the bank" : "wrote the report"}\n`,
  );
  return `# Notes\n\n${lines.join("")}`;
}

function budget(day: number): string {
  const rows = Array.from({ length: 3 + Math.floor(day / 3) }, (_, i) => `${i + 1},rent,${900 + 10 * i}\n`);
  return `month,what,amount\n${rows.join("")}`;
}

/** Bytes that nothing compresses; another piece of them each day. */
function noise(length: number, seed: number, day: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer);
  const random = seeded(seed);
  for (let i = 0; i < words.length; i++) words[i] = random();
  const changed = seeded(seed + day * 7919);
  const from = day === 0 ? 0 : (changed() % (words.length - 40_000)) & ~1023;
  for (let i = 0; day > 0 && i < 20_000 + (changed() % 20_000); i++) words[from + i] = changed();
  return bytes;
}

/** xorshift32 (Marsaglia 2003). */
function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
