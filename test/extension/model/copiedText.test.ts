// What is copied is run: in a shell, with the command line as it is shipped, for names that no shell likes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { commandLine } from "../../../extension/model/commandLine.js";
import { type CopySubject, copiedLine, copiedPath } from "../../../extension/model/copiedText.js";
import { nbdCommands, vncCommands } from "../../../extension/model/nbdCommands.js";
import type { EntryData, RepositoryInfo, SnapshotData } from "../../../extension/service/protocol.js";
import { cliJson } from "../../cli/runInProcess.js";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { type StartedService, startService } from "../support/startService.js";

const run = promisify(execFile);
const CLI = inProject("dist", "cli", "reprise.mjs");
/** Each is the name of a file whose text is its number. */
const NAMES = [
  "plain.txt",
  "two words  and more",
  'it\'s "quoted"',
  "$HOME $(touch here) `id`",
  "back\\slash",
  "line\nfeed",
  "-rf",
  "é☃",
  "*?[a]{b,c}!#&;|<>()~",
].map((name) => Buffer.from(name));
const BYTES = [...NAMES, Buffer.from([0x6e, 0xff, 0xfe, 0x80])];

describe("copied command lines", function () {
  this.timeout(300_000);
  let folder: TemporaryFolder;
  let location: string;
  let service: StartedService;
  let info: RepositoryInfo;
  let snapshots: SnapshotData[];
  let entries: readonly EntryData[];

  before(async function () {
    if (!existsSync(CLI)) this.skip();
    folder = await makeTemporaryFolder("copied");
    location = join(folder.path, 'a "place" that\'s $HOME\nnobody likes');
    const source = join(folder.path, "source");
    await mkdir(join(source, "in'side"), { recursive: true });
    for (const [i, name] of BYTES.entries())
      await writeFile(Buffer.concat([Buffer.from(`${source}/in'side/`), name]), `number ${i}\n`);
    const env = { REPRISE_REPOSITORY: location };
    await cliJson(["init", "--no-encryption"], { env });
    for (let i = 0; i < 2; i++) {
      await cliJson(["backup", "--dir", source, "--group", "host/odd", "--ns", "prod"], {
        env,
      });
      await writeFile(join(source, "added"), "new\n");
    }
    service = startService();
    info = await service.open(location, null);
    const page = { repository: info.handle, machine: "prod:host/odd", offset: 0, limit: 10 };
    snapshots = [...(await service.client.call("snapshots", page)).items];
    entries = await entriesOf("/source/fs/in'side");
    await mkdir(join(folder.path, "bin"));
    await symlink(CLI, join(folder.path, "bin", "reprise"));
    await mkdir(join(folder.path, "here"));
  });
  after(async () => {
    await service?.client.close();
    await folder?.remove();
  });

  const entriesOf = async (path: string) => {
    const what = { repository: info.handle, snapshot: snapshots[0]?.snapshotId ?? "", path, offset: 0, limit: 100 };
    return (await service.client.call("list", what)).items;
  };
  const shell = async (line: string) => {
    const path = [join(folder.path, "bin"), dirname(process.execPath), process.env.PATH].join(delimiter);
    const env = { ...process.env, PATH: path, REPRISE_CACHE_DIR: join(folder.path, "cache") };
    return (await run("sh", ["-c", line], { cwd: join(folder.path, "here"), env })).stdout;
  };
  const newest = () => snapshots[0] as SnapshotData;
  const ids = () => snapshots.map(({ snapshotId }) => snapshotId);
  const lineOf = (subject: CopySubject) => copiedLine(location, subject);

  it("show each file, whatever it is called", async () => {
    assert.equal(entries.length, BYTES.length);
    const texts = new Set<string>();
    for (const { path } of entries)
      texts.add(await shell(lineOf({ kind: "file", snapshot: newest().snapshotId, path })));
    assert.deepEqual([...texts].sort(), BYTES.map((_, i) => `number ${i}\n`).sort());
    // nothing of a name was run
    assert.deepEqual(await readdir(join(folder.path, "here")), []);
  });

  it("list repositories, namespaces, machines, days, snapshots and folders", async () => {
    const machine = "prod:host/odd";
    const { snapshotId } = newest();
    for (const subject of [
      { kind: "repository" },
      { kind: "namespace", namespace: "prod" },
      { kind: "machine", machine },
      { kind: "snapshots", snapshots: ids() },
    ] as const)
      assert.match(await shell(lineOf(subject)), new RegExp(snapshotId.slice(0, 8)), subject.kind);
    assert.match(await shell(lineOf({ kind: "snapshot", snapshot: snapshotId })), /source/);
    for (const path of ["/", "/source", "/source/fs/in'side"])
      assert.notEqual(await shell(lineOf({ kind: "folder", snapshot: snapshotId, path })), "", path);
    const [, first] = snapshots;
    const pair = { before: first?.snapshotId ?? "", after: snapshotId };
    assert.match(await shell(lineOf({ kind: "changes", ...pair, path: "/" })), /source\/fs\/added/);
    assert.match(await shell(lineOf({ kind: "changes", ...pair, path: "/source/fs/in'side" })), /^0 added, 0/);
  });

  it("restore, and tell the history of a file", async () => {
    const odd = entries.find(({ name }) => name.includes("$HOME"));
    assert.ok(odd !== undefined);
    assert.match(
      await shell(commandLine(location, ["history", `prod:host/odd:${odd.path}`])),
      /1 version in 2 snapshots/,
    );
    await shell(commandLine(location, ["restore", `${newest().snapshotId}:${odd.path}`, "--to", "restored"]));
    assert.deepEqual(await readdir(join(folder.path, "here", "restored")), ["$HOME $(touch here) `id`"]);
    assert.equal(
      await shell(lineOf({ kind: "tested", machine: "prod:host/odd" })),
      "0 restore tests of prod:host/odd\n",
    );
  });

  it("take what is copied as a path", async () => {
    const names = copiedPath(location, { kind: "snapshots", snapshots: ids() }).split("\n");
    assert.equal(names.length, snapshots.length);
    const shown = await cliJson(["show", names.at(-1) ?? ""], { env: { REPRISE_REPOSITORY: location } });
    assert.equal(shown.snapshotId, snapshots.at(-1)?.snapshotId);
    assert.equal(copiedPath(location, { kind: "repository" }), location);
    assert.equal(copiedPath(location, { kind: "file", snapshot: "", path: "/root/x" }), "/root/x");
  });

  it("name a test with what narrows it", () => {
    const subject = { kind: "test", file: "/w/web 1.yaml", test: "web1", machine: "vm/web1", check: null } as const;
    assert.equal(copiedLine("/r", subject), "reprise test '/w/web 1.yaml' --test web1 --machine vm/web1 --repo /r");
  });

  it("connect to a disk that is served, with the programs that people have", () => {
    const uri = "nbd+unix:///sda?socket=%2Ftmp%2Fa%20b%2Fnbd.sock";
    const lines = nbdCommands({ name: "sda", uri }).map(({ line }) => line);
    assert.ok(lines.includes(`qemu-img convert -p -O qcow2 '${uri}' sda.qcow2`));
    assert.ok(
      lines.some((line) => line.endsWith("nbd-client -unix '/tmp/a b/nbd.sock' -name sda /dev/nbd0 -readonly")),
    );
    assert.ok(lines.some((line) => line.includes(`qemu-nbd --read-only --format=raw --connect=/dev/nbd0 '${uri}'`)));
    const [client] = nbdCommands({ name: "a b", uri: "nbd://127.0.0.1:10809/a%20b" }).filter(
      ({ program }) => program === "nbd-client",
    );
    assert.match(client?.line ?? "", /nbd-client 127\.0\.0\.1 10809 -name 'a b' \/dev\/nbd0/);
    assert.deepEqual(vncCommands("/tmp/x/vnc.sock")[0]?.line, "vncviewer /tmp/x/vnc.sock");
  });
});
